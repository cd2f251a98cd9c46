#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <stdint.h>

// How often Swift's runtime has allocated memory for this thread so far; -1 where that can't be counted.
int64_t ct_allocations(void);

#endif
