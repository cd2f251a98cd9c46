/* Linked into every program under the address sanitizer: the tests start many of them, most with an environment of their
   own. What outlives a process on purpose is no leak. */
const char *__asan_default_options(void) { return "detect_leaks=0:exitcode=66"; }
