#include "seen.h"

long seen_call(long number, long a, long b, long c, long d)
{
	int kept = errno;
	long result = REAL(syscall)(number, a, b, c, d);
	if (result == -1)
		result = -errno;
	errno = kept;
	return result;
}
