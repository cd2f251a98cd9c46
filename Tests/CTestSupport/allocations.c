// Counts what each thread of the tests allocates, by standing before the C library's allocator: a program's own symbols
// come before those of its libraries (ld.so(8)).
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

// A sanitizer stands there itself.
#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

#include <link.h>

static __thread int64_t count;

int64_t ct_allocations(void) { return count; }

// Where Swift's runtime allocates whatever a program asks for: objects, arrays, boxes, contexts of closures, memory
// behind pointers. What calls the allocator from elsewhere is mostly the frames of coroutines (`_read`, `_modify`),
// which the optimizer removes.
void *swift_slowAlloc(size_t size, size_t alignment);
static uintptr_t runtime;
static size_t runtime_size;

__attribute__((constructor)) static void begin(void) {
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (dladdr1((void *)swift_slowAlloc, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol) {
        runtime = (uintptr_t)info.dli_saddr;
        runtime_size = symbol->st_size;
    }
}

static void note(void *caller) { count += (uintptr_t)caller - runtime < runtime_size; }

// What glibc exports of its allocator under names that nobody replaces.
void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    note(__builtin_return_address(0));
    return __libc_malloc(size);
}

// For what wants more alignment than usual; coroutines don't.
int posix_memalign(void **result, size_t alignment, size_t size) {
    count++;
    void *memory = __libc_memalign(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}

#else

int64_t ct_allocations(void) { return -1; }

#endif
