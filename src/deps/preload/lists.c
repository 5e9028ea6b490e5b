/* The functions that start a program with a list of arguments: by those that take an array, which are
 * hooked as well. */

#include "seen.h"

extern char **environ;

int execvpe(const char *file, char *const arguments[], char *const environment[]);

/* Collects the arguments of a call, up to the null pointer. */
#define SEEN_COLLECT(first)                                                                        \
	va_list list;                                                                                  \
	size_t count = 1;                                                                              \
	va_start(list, first);                                                                         \
	while (va_arg(list, char *))                                                                   \
		count++;                                                                                   \
	va_end(list);                                                                                  \
	char *arguments[count + 1];                                                                    \
	va_start(list, first);                                                                         \
	arguments[0] = (char *)(uintptr_t)first;                                                       \
	for (size_t i = 1; i <= count; i++)                                                            \
		arguments[i] = va_arg(list, char *)

HOOK int execl(const char *path, const char *first, ...)
{
	SEEN_COLLECT(first);
	va_end(list);
	return execve(path, arguments, environ);
}

HOOK int execlp(const char *file, const char *first, ...)
{
	SEEN_COLLECT(first);
	va_end(list);
	return execvpe(file, arguments, environ);
}

HOOK int execle(const char *path, const char *first, ...)
{
	SEEN_COLLECT(first);
	char **environment = va_arg(list, char **);
	va_end(list);
	return execve(path, arguments, environment);
}
