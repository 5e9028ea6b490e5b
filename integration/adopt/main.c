#include "config.h"

#include <stdio.h>

int main(void)
{
#if defined HAVE_SYS_EPOLL_H
	const char *events = "epoll";
#elif defined HAVE_KQUEUE
	const char *events = "kqueue";
#else
	const char *events = "poll";
#endif
	printf("%s, time_t of %d bytes\n", events, SIZEOF_TIME_T);
	return 0;
}
