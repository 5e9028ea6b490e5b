/* Hooks of functions that read files and directories, or look at them. */

#include "seen.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

static int seen_error(int result)
{
	return result == -1 ? errno : 0;
}

/* open and its relatives. A mode follows if the flags say so; reading one that is not there is
 * harmless, since nobody looks at it then. */

#define SEEN_MODE(after)                                                                           \
	va_list seen_list_of_arguments;                                                                \
	va_start(seen_list_of_arguments, after);                                                       \
	mode_t mode = va_arg(seen_list_of_arguments, mode_t);                                          \
	va_end(seen_list_of_arguments)

#define SEEN_OPEN(name)                                                                            \
	HOOK int name(const char *path, int flags, ...)                                                \
	{                                                                                              \
		SEEN_MODE(flags);                                                                          \
		int descriptor = REAL(name)(path, flags, mode);                                            \
		seen_open(AT_FDCWD, path, flags, descriptor);                                              \
		return descriptor;                                                                         \
	}
SEEN_OPEN(open)
SEEN_OPEN(open64)

#define SEEN_OPENAT(name)                                                                          \
	HOOK int name(int dir, const char *path, int flags, ...)                                       \
	{                                                                                              \
		SEEN_MODE(flags);                                                                          \
		int descriptor = REAL(name)(dir, path, flags, mode);                                       \
		seen_open(dir, path, flags, descriptor);                                                   \
		return descriptor;                                                                         \
	}
SEEN_OPENAT(openat)
SEEN_OPENAT(openat64)

/* With _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

#define SEEN_OPEN_2(name)                                                                          \
	HOOK int name(const char *path, int flags)                                                     \
	{                                                                                              \
		int descriptor = REAL(name)(path, flags);                                                  \
		seen_open(AT_FDCWD, path, flags, descriptor);                                              \
		return descriptor;                                                                         \
	}
SEEN_OPEN_2(__open_2)
SEEN_OPEN_2(__open64_2)

#define SEEN_OPENAT_2(name)                                                                        \
	HOOK int name(int dir, const char *path, int flags)                                            \
	{                                                                                              \
		int descriptor = REAL(name)(dir, path, flags);                                             \
		seen_open(dir, path, flags, descriptor);                                                   \
		return descriptor;                                                                         \
	}
SEEN_OPENAT_2(__openat_2)
SEEN_OPENAT_2(__openat64_2)

#define SEEN_CREAT(name)                                                                           \
	HOOK int name(const char *path, mode_t mode)                                                   \
	{                                                                                              \
		int descriptor = REAL(name)(path, mode);                                                   \
		seen_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, descriptor);                       \
		return descriptor;                                                                         \
	}
SEEN_CREAT(creat)
SEEN_CREAT(creat64)

/* The flags of open for the mode of a stream. */
static int seen_flags(const char *mode)
{
	int flags = *mode == 'r' ? 0 : *mode == 'w' ? O_CREAT | O_TRUNC : O_CREAT | O_APPEND;
	int access = *mode == 'r' ? O_RDONLY : O_WRONLY;
	for (mode++; *mode && *mode != ','; mode++) {
		if (*mode == '+')
			access = O_RDWR;
		if (*mode == 'x')
			flags |= O_EXCL;
	}
	return flags | access;
}

static void seen_stream(const char *path, const char *mode, FILE *stream)
{
	/* Another character set loads the library that converts it. */
	for (const char *at = mode; at && *at; at++)
		if (*at == ',')
			seen_note_name(SEEN_UNSEEN, "ccs");
	if (path && mode)
		seen_open(AT_FDCWD, path, seen_flags(mode), stream ? fileno(stream) : -1);
}

#define SEEN_FOPEN(name)                                                                           \
	HOOK FILE *name(const char *path, const char *mode)                                            \
	{                                                                                              \
		FILE *stream = REAL(name)(path, mode);                                                     \
		seen_stream(path, mode, stream);                                                           \
		return stream;                                                                             \
	}
SEEN_FOPEN(fopen)
SEEN_FOPEN(fopen64)

#define SEEN_FREOPEN(name)                                                                         \
	HOOK FILE *name(const char *path, const char *mode, FILE *old)                                 \
	{                                                                                              \
		FILE *stream = REAL(name)(path, mode, old);                                                \
		seen_stream(path, mode, stream);                                                           \
		return stream;                                                                             \
	}
SEEN_FREOPEN(freopen)
SEEN_FREOPEN(freopen64)

/* stat and its relatives. On the machines that this library is built for, both sizes of the
 * structure are the same. */

#define SEEN_STAT(name, type, kind)                                                                \
	HOOK int name(const char *path, struct type *found)                                            \
	{                                                                                              \
		int result = REAL(name)(path, found);                                                      \
		seen_look(kind, AT_FDCWD, path, seen_error(result), (const struct stat *)found);           \
		return result;                                                                             \
	}
SEEN_STAT(stat, stat, SEEN_FOLLOW)
SEEN_STAT(stat64, stat64, SEEN_FOLLOW)
SEEN_STAT(lstat, stat, SEEN_LINK)
SEEN_STAT(lstat64, stat64, SEEN_LINK)

#define SEEN_FSTATAT(name, type)                                                                   \
	HOOK int name(int dir, const char *path, struct type *found, int flags)                        \
	{                                                                                              \
		int result = REAL(name)(dir, path, found, flags);                                          \
		enum seen_kind kind = flags & AT_SYMLINK_NOFOLLOW ? SEEN_LINK : SEEN_FOLLOW;               \
		seen_look(kind, dir, path, seen_error(result), (const struct stat *)found);                \
		return result;                                                                             \
	}
SEEN_FSTATAT(fstatat, stat)
SEEN_FSTATAT(fstatat64, stat64)

/* Up to glibc 2.32, the functions above were macros for these. */
int __xstat(int version, const char *path, struct stat *found);
int __xstat64(int version, const char *path, struct stat64 *found);
int __lxstat(int version, const char *path, struct stat *found);
int __lxstat64(int version, const char *path, struct stat64 *found);
int __fxstatat(int version, int dir, const char *path, struct stat *found, int flags);
int __fxstatat64(int version, int dir, const char *path, struct stat64 *found, int flags);

#define SEEN_XSTAT(name, type, kind)                                                               \
	HOOK int name(int version, const char *path, struct type *found)                               \
	{                                                                                              \
		int result = REAL(name)(version, path, found);                                             \
		seen_look(kind, AT_FDCWD, path, seen_error(result), (const struct stat *)found);           \
		return result;                                                                             \
	}
SEEN_XSTAT(__xstat, stat, SEEN_FOLLOW)
SEEN_XSTAT(__xstat64, stat64, SEEN_FOLLOW)
SEEN_XSTAT(__lxstat, stat, SEEN_LINK)
SEEN_XSTAT(__lxstat64, stat64, SEEN_LINK)

#define SEEN_FXSTATAT(name, type)                                                                  \
	HOOK int name(int version, int dir, const char *path, struct type *found, int flags)           \
	{                                                                                              \
		int result = REAL(name)(version, dir, path, found, flags);                                 \
		enum seen_kind kind = flags & AT_SYMLINK_NOFOLLOW ? SEEN_LINK : SEEN_FOLLOW;               \
		seen_look(kind, dir, path, seen_error(result), (const struct stat *)found);                \
		return result;                                                                             \
	}
SEEN_FXSTATAT(__fxstatat, stat)
SEEN_FXSTATAT(__fxstatat64, stat64)

HOOK int statx(int dir, const char *restrict path, int flags, unsigned mask,
               struct statx *restrict found)
{
	int result = REAL(statx)(dir, path, flags, mask, found);
	enum seen_kind kind = flags & AT_SYMLINK_NOFOLLOW ? SEEN_LINK : SEEN_FOLLOW;
	seen_look(kind, dir, path, seen_error(result), NULL);
	return result;
}

/* Other looks at a path: whether it may be used, its file system, its extended attributes. */

#define SEEN_LOOK(type, name, kind, dir, parameters, arguments)                                    \
	HOOK type name parameters                                                                      \
	{                                                                                              \
		type result = REAL(name) arguments;                                                        \
		seen_look(kind, dir, path, result == -1 ? errno : 0, NULL);                                \
		return result;                                                                             \
	}

SEEN_LOOK(int, access, SEEN_FOLLOW, AT_FDCWD, (const char *path, int mode), (path, mode))
SEEN_LOOK(int, eaccess, SEEN_FOLLOW, AT_FDCWD, (const char *path, int mode), (path, mode))
SEEN_LOOK(int, euidaccess, SEEN_FOLLOW, AT_FDCWD, (const char *path, int mode), (path, mode))
SEEN_LOOK(int, faccessat, flags & AT_SYMLINK_NOFOLLOW ? SEEN_LINK : SEEN_FOLLOW, dir,
          (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
SEEN_LOOK(int, chdir, SEEN_FOLLOW, AT_FDCWD, (const char *path), (path))
SEEN_LOOK(long, pathconf, SEEN_FOLLOW, AT_FDCWD, (const char *path, int name), (path, name))
SEEN_LOOK(ssize_t, getxattr, SEEN_FOLLOW, AT_FDCWD,
          (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
SEEN_LOOK(ssize_t, lgetxattr, SEEN_LINK, AT_FDCWD,
          (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
SEEN_LOOK(ssize_t, listxattr, SEEN_FOLLOW, AT_FDCWD, (const char *path, char *list, size_t size),
          (path, list, size))
SEEN_LOOK(ssize_t, llistxattr, SEEN_LINK, AT_FDCWD, (const char *path, char *list, size_t size),
          (path, list, size))

/* How full a file system is changes all the time. libselinux asks whether its own is there. */

#define SEEN_SPACE(name, type)                                                                     \
	HOOK int name(const char *restrict path, struct type *restrict into)                           \
	{                                                                                              \
		int result = REAL(name)(path, into);                                                       \
		seen_look(SEEN_FOLLOW, AT_FDCWD, path, result == -1 ? errno : 0, NULL);                    \
		if (result == 0 && !seen_starts(path, "/sys/"))                                            \
			seen_note_name(SEEN_MOMENT, "statfs");                                                 \
		return result;                                                                             \
	}

SEEN_SPACE(statfs, statfs)
SEEN_SPACE(statfs64, statfs64)
SEEN_SPACE(statvfs, statvfs)
SEEN_SPACE(statvfs64, statvfs64)

/* Links. */

ssize_t __readlink_chk(const char *path, char *into, size_t size, size_t whole);
ssize_t __readlinkat_chk(int dir, const char *path, char *into, size_t size, size_t whole);

SEEN_LOOK(ssize_t, readlink, SEEN_LINK, AT_FDCWD,
          (const char *restrict path, char *restrict into, size_t size), (path, into, size))
SEEN_LOOK(ssize_t, readlinkat, SEEN_LINK, dir,
          (int dir, const char *restrict path, char *restrict into, size_t size),
          (dir, path, into, size))
SEEN_LOOK(ssize_t, __readlink_chk, SEEN_LINK, AT_FDCWD,
          (const char *path, char *into, size_t size, size_t whole), (path, into, size, whole))
SEEN_LOOK(ssize_t, __readlinkat_chk, SEEN_LINK, dir,
          (int dir, const char *path, char *into, size_t size, size_t whole),
          (dir, path, into, size, whole))

/* Notes a path and what it resolved to. The reader of the log walks along the links. */
static void seen_realpath(const char *path, const char *result)
{
	char both[2 * SEEN_PATH_MAX];
	int kept = errno;
	int error = result ? 0 : errno;
	if (path && *path && error != EFAULT && seen_is_on()) {
		size_t length = seen_absolute(AT_FDCWD, path, both);
		size_t more = result ? seen_length(result) : 0;
		if (!length || more >= SEEN_PATH_MAX) {
			seen_note_name(SEEN_UNSEEN, "realpath");
		} else {
			seen_copy(both + length + 1, result ? result : "", more);
			seen_note(SEEN_REALPATH, both, length + 1 + more, error, NULL);
		}
	}
	errno = kept;
}

HOOK char *realpath(const char *restrict path, char *restrict into)
{
	char *result = REAL(realpath)(path, into);
	seen_realpath(path, result);
	return result;
}

char *__realpath_chk(const char *path, char *into, size_t size);

HOOK char *__realpath_chk(const char *path, char *into, size_t size)
{
	char *result = REAL(__realpath_chk)(path, into, size);
	seen_realpath(path, result);
	return result;
}

HOOK char *canonicalize_file_name(const char *path)
{
	char *result = REAL(canonicalize_file_name)(path);
	seen_realpath(path, result);
	return result;
}

/* Patterns. Linkers read the loader's configuration with one, which includes a directory's files. */

/* Notes the directory of a pattern. Returns whether that is all that the pattern lists. */
static bool seen_list_pattern(const char *pattern, int flags)
{
	char dir[SEEN_PATH_MAX];
	size_t length = 0, slash = 0, wildcard = 0;
	if (!seen_is_on())
		return true;
	for (; pattern[length]; length++) {
		if (pattern[length] == '/' && !wildcard)
			slash = length + 1;
		else if (pattern[length] == '/')
			return false;
		else if (pattern[length] == '*' || pattern[length] == '?' || pattern[length] == '[')
			wildcard = length + 1;
		else if (pattern[length] == '{' || pattern[length] == '~' || pattern[length] == '\\')
			return false;
	}
	if (length + 2 > sizeof dir || flags & GLOB_ALTDIRFUNC)
		return false;
	seen_copy(dir, slash ? pattern : ".", slash ? slash : 1);
	dir[slash ? slash : 1] = '\0';
	/* Without its slash at the end, as the function spells it. */
	if (slash > 1)
		dir[slash - 1] = '\0';
	DIR *listed = wildcard ? opendir(dir) : NULL;
	if (listed)
		closedir(listed);
	return true;
}

#define SEEN_GLOB(name, type)                                                                      \
	HOOK int name(const char *restrict pattern, int flags, int (*failed)(const char *, int),       \
	              type *restrict into)                                                             \
	{                                                                                              \
		if (!seen_list_pattern(pattern, flags))                                                    \
			seen_note_name(SEEN_UNSEEN, #name);                                                    \
		size_t before = flags & GLOB_APPEND ? into->gl_pathc : 0;                                  \
		size_t offset = flags & GLOB_DOOFFS ? into->gl_offs : 0;                                   \
		int result = REAL(name)(pattern, flags, failed, into);                                     \
		struct stat found;                                                                         \
		int kept = errno;                                                                          \
		if (result)                                                                                \
			stat(pattern, &found);                                                                 \
		else                                                                                       \
			for (size_t i = before; i < into->gl_pathc; i++)                                       \
				stat(into->gl_pathv[offset + i], &found);                                          \
		errno = kept;                                                                              \
		return result;                                                                             \
	}
SEEN_GLOB(glob, glob_t)
SEEN_GLOB(glob64, glob64_t)

/* Directories. */

HOOK DIR *opendir(const char *path)
{
	DIR *dir = REAL(opendir)(path);
	if (dir)
		seen_list(path, dirfd(dir));
	else
		seen_look(SEEN_FOLLOW, AT_FDCWD, path, errno, NULL);
	return dir;
}

HOOK DIR *fdopendir(int descriptor)
{
	DIR *dir = REAL(fdopendir)(descriptor);
	char path[SEEN_PATH_MAX];
	if (dir && seen_is_on()) {
		/* "." below the directory is its own path. */
		int kept = errno;
		if (seen_absolute(descriptor, ".", path))
			seen_list(path, descriptor);
		else
			seen_note_name(SEEN_UNSEEN, "fdopendir");
		errno = kept;
	}
	return dir;
}
