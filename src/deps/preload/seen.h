/* A library that is preloaded into compilers and notes every path that they look at.
 *
 * The notes go to a file in memory that all processes of one command share. src/deps/log.rs reads
 * it, and explains its layout; both must change together. docs/design/seeing.md says why it is done
 * this way.
 *
 * Rules for all code here:
 *
 * - Every hook calls the real function, keeps its result and errno, and only then takes a note.
 * - No allocation, no locks, no streams: hooks run in children of vfork, in threads, in signal
 *   handlers, and before the constructors of other libraries.
 * - The library is linked without any other library, so that it loads beside every version of
 *   glibc. What it calls is found in the process that loads it. */

#ifndef TRYALL_SEEN_H
#define TRYALL_SEEN_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* What a note says. The numbers are those of src/deps/log.rs. */
enum seen_kind {
	SEEN_FOLLOW = 1,    /* looked at a path, through links */
	SEEN_LINK = 2,      /* looked at the last link itself */
	SEEN_LIST = 3,      /* listed a directory */
	SEEN_REALPATH = 4,  /* resolved all links: the path, NUL, the result */
	SEEN_CREATED = 5,   /* made a file or directory that was not there before */
	SEEN_WRITTEN = 6,   /* wrote a file, or changed its attributes */
	SEEN_REMOVED = 7,   /* removed or renamed a file */
	SEEN_VARIABLE = 8,  /* read an environment variable */
	SEEN_IMAGE = 9,     /* a program started: its path, NUL, its executable */
	SEEN_MAPPED = 10,   /* a shared library is part of a program */
	SEEN_STARTED = 11,  /* is about to start a program */
	SEEN_UNSEEN = 12,   /* did something whose looks cannot be seen: its name */
	SEEN_FAILED = 13,   /* a look failed for a reason that lies outside the path */
	SEEN_CHANGING = 14, /* the path changed at the very moment of the look */
	SEEN_LIBRARIES = 15, /* the value of LD_LIBRARY_PATH of a program */
	SEEN_LOCALE = 16,    /* asked for a locale: its name */
	SEEN_LANGUAGES = 17, /* the value of LANGUAGE */
	SEEN_DOMAIN = 18,    /* uses messages: their domain, NUL, their directory if it is named */
	SEEN_MOMENT = 19     /* called a function whose answer is different at every moment: its name */
};

/* An exported function that stands in for one of the C library. */
#define HOOK __attribute__((visibility("default")))

/* The function of this name that would have been called without this library. */
#define REAL(name)                                                                                 \
	(__extension__({                                                                               \
		static void *seen_real_##name;                                                             \
		void *seen_found = __atomic_load_n(&seen_real_##name, __ATOMIC_RELAXED);                   \
		if (!seen_found) {                                                                         \
			seen_found = seen_find(#name);                                                         \
			__atomic_store_n(&seen_real_##name, seen_found, __ATOMIC_RELAXED);                     \
		}                                                                                          \
		(__typeof__(&name))seen_found;                                                             \
	}))

/* find.c */
void *seen_find(const char *name);
bool seen_is_ours(const void *address);

/* log.c */
bool seen_is_on(void);
const char *seen_variable(const char *name);
void seen_expect(int images);
void seen_note(enum seen_kind kind, const char *text, size_t length, int error,
               const struct stat *found);
void seen_note_name(enum seen_kind kind, const char *text);
bool seen_is_own(const char *path, size_t length);
bool seen_is_made(const char *path, size_t length);
void seen_begin(void);

/* call.c: a system call that is not noted. Returns the result, or the negative error number. */
long seen_call(long number, long a, long b, long c, long d);

/* text.c */
size_t seen_length(const char *text);
bool seen_equal(const char *one, const char *other);
bool seen_starts(const char *text, const char *with);
void seen_copy(char *to, const char *from, size_t length);
/* What follows the last slash. */
const char *seen_base(const char *path);
/* The first entry of the environment with this start, such as "PATH=", or null. */
char **seen_entry(const char *start);

/* look.c: notes about paths. All keep errno. */

/* The space for an absolute path. Longer ones are noted as unseen. */
#define SEEN_PATH_MAX 8192

size_t seen_absolute(int dir, const char *path, char *into);
/* A look whose result is `error` (0 if it succeeded) or, if not null, this status. */
void seen_look(enum seen_kind kind, int dir, const char *path, int error,
               const struct stat *found);
/* The result of opening a path: a descriptor, or -1 with errno set. */
void seen_open(int dir, const char *path, int flags, int descriptor);
/* The result of a call that changes a path: -1 with errno set if it failed. */
void seen_change(enum seen_kind kind, int dir, const char *path, int result);
/* A directory that has been opened to list it. */
void seen_list(const char *path, int descriptor);
/* Notes a program that is about to start, or a library about to be loaded. Returns whether it can be. */
bool seen_use(const char *path);
/* Notes a file that has been mapped, with another path. */
void seen_used(enum seen_kind kind, const char *path, const char *other);

/* programs.c */
/* From now on, the C library may load libraries that nobody asks for. */
void seen_expect_loads(void);
void seen_map_objects(void);
void seen_scan_options(int count, char **words);

#endif
