/* The few functions for texts and the environment that are needed. The compiler may turn calls of the standard ones into
 * calls of the C library, which is fine; these keep the list of needed symbols short. */

#include "seen.h"

extern char **environ;

size_t seen_length(const char *text)
{
	return __builtin_strlen(text);
}

bool seen_equal(const char *one, const char *other)
{
	while (*one && *one == *other) {
		one++;
		other++;
	}
	return *one == *other;
}

bool seen_starts(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return !*with;
}

void seen_copy(char *to, const char *from, size_t length)
{
	__builtin_memcpy(to, from, length);
}

const char *seen_base(const char *path)
{
	const char *base = path;
	for (const char *at = path; *at; at++)
		if (*at == '/')
			base = at + 1;
	return base;
}

char **seen_entry(const char *start)
{
	for (char **at = environ; at && *at; at++)
		if (seen_starts(*at, start))
			return at;
	return NULL;
}
