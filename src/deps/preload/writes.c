/* Hooks of functions that create, change, rename or remove files. */

#include "seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <utime.h>

/* A function that changes one path. */
#define SEEN_CHANGE(name, kind, dir, parameters, arguments)                                        \
	HOOK int name parameters                                                                       \
	{                                                                                              \
		int result = REAL(name) arguments;                                                         \
		seen_change(kind, dir, path, result);                                                      \
		return result;                                                                             \
	}

SEEN_CHANGE(unlink, SEEN_REMOVED, AT_FDCWD, (const char *path), (path))
SEEN_CHANGE(rmdir, SEEN_REMOVED, AT_FDCWD, (const char *path), (path))
SEEN_CHANGE(remove, SEEN_REMOVED, AT_FDCWD, (const char *path), (path))
SEEN_CHANGE(unlinkat, SEEN_REMOVED, dir, (int dir, const char *path, int flags), (dir, path, flags))
SEEN_CHANGE(mkdir, SEEN_CREATED, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
SEEN_CHANGE(mkdirat, SEEN_CREATED, dir, (int dir, const char *path, mode_t mode), (dir, path, mode))
SEEN_CHANGE(mkfifo, SEEN_WRITTEN, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
SEEN_CHANGE(mkfifoat, SEEN_WRITTEN, dir, (int dir, const char *path, mode_t mode), (dir, path, mode))
SEEN_CHANGE(mknod, SEEN_WRITTEN, AT_FDCWD, (const char *path, mode_t mode, dev_t device),
            (path, mode, device))
SEEN_CHANGE(mknodat, SEEN_WRITTEN, dir, (int dir, const char *path, mode_t mode, dev_t device),
            (dir, path, mode, device))
SEEN_CHANGE(chmod, SEEN_WRITTEN, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
SEEN_CHANGE(fchmodat, SEEN_WRITTEN, dir, (int dir, const char *path, mode_t mode, int flags),
            (dir, path, mode, flags))
SEEN_CHANGE(chown, SEEN_WRITTEN, AT_FDCWD, (const char *path, uid_t user, gid_t group),
            (path, user, group))
SEEN_CHANGE(lchown, SEEN_WRITTEN, AT_FDCWD, (const char *path, uid_t user, gid_t group),
            (path, user, group))
SEEN_CHANGE(fchownat, SEEN_WRITTEN, dir,
            (int dir, const char *path, uid_t user, gid_t group, int flags),
            (dir, path, user, group, flags))
SEEN_CHANGE(truncate, SEEN_WRITTEN, AT_FDCWD, (const char *path, off_t length), (path, length))
SEEN_CHANGE(truncate64, SEEN_WRITTEN, AT_FDCWD, (const char *path, off64_t length), (path, length))
SEEN_CHANGE(utime, SEEN_WRITTEN, AT_FDCWD, (const char *path, const struct utimbuf *times),
            (path, times))
SEEN_CHANGE(utimes, SEEN_WRITTEN, AT_FDCWD, (const char *path, const struct timeval times[2]),
            (path, times))
SEEN_CHANGE(lutimes, SEEN_WRITTEN, AT_FDCWD, (const char *path, const struct timeval times[2]),
            (path, times))

HOOK int utimensat(int dir, const char *path, const struct timespec times[2], int flags)
{
	int result = REAL(utimensat)(dir, path, times, flags);
	seen_change(SEEN_WRITTEN, dir, path, result);
	return result;
}

/* Attributes can be changed through a descriptor that is open for reading. "." below it is the path
 * that it was opened by. */
#define SEEN_CHANGE_OPEN(name, parameters, arguments)                                              \
	HOOK int name parameters                                                                       \
	{                                                                                              \
		int result = REAL(name) arguments;                                                         \
		if (result == 0)                                                                           \
			seen_change(SEEN_WRITTEN, descriptor, ".", 0);                                         \
		return result;                                                                             \
	}
SEEN_CHANGE_OPEN(fchmod, (int descriptor, mode_t mode), (descriptor, mode))
SEEN_CHANGE_OPEN(fchown, (int descriptor, uid_t user, gid_t group), (descriptor, user, group))
SEEN_CHANGE_OPEN(futimens, (int descriptor, const struct timespec times[2]), (descriptor, times))

/* Renaming removes one path and writes the other. If it fails, either may be the reason. */
static void seen_rename(int from_dir, const char *from, int to_dir, const char *to, int result)
{
	seen_change(SEEN_REMOVED, from_dir, from, result);
	seen_change(SEEN_WRITTEN, to_dir, to, result);
}

HOOK int rename(const char *from, const char *to)
{
	int result = REAL(rename)(from, to);
	seen_rename(AT_FDCWD, from, AT_FDCWD, to, result);
	return result;
}

HOOK int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int result = REAL(renameat)(from_dir, from, to_dir, to);
	seen_rename(from_dir, from, to_dir, to, result);
	return result;
}

HOOK int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	int result = REAL(renameat2)(from_dir, from, to_dir, to, flags);
	seen_rename(from_dir, from, to_dir, to, result);
	return result;
}

/* A link makes a file outside visible inside the command's own directory, where looks are not
 * noted. */

HOOK int link(const char *from, const char *to)
{
	int result = REAL(link)(from, to);
	seen_note_name(SEEN_UNSEEN, "link");
	return result;
}

HOOK int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	int result = REAL(linkat)(from_dir, from, to_dir, to, flags);
	seen_note_name(SEEN_UNSEEN, "linkat");
	return result;
}

HOOK int symlink(const char *from, const char *to)
{
	int result = REAL(symlink)(from, to);
	seen_note_name(SEEN_UNSEEN, "symlink");
	return result;
}

HOOK int symlinkat(const char *from, int dir, const char *to)
{
	int result = REAL(symlinkat)(from, dir, to);
	seen_note_name(SEEN_UNSEEN, "symlinkat");
	return result;
}

/* Temporary files, whose names are made here. */

#define SEEN_TEMPORARY(name, parameters, arguments)                                                \
	HOOK int name parameters                                                                       \
	{                                                                                              \
		int descriptor = REAL(name) arguments;                                                     \
		if (descriptor >= 0)                                                                       \
			seen_change(SEEN_CREATED, AT_FDCWD, path, 0);                                          \
		else                                                                                       \
			seen_note_name(SEEN_UNSEEN, #name);                                                    \
		return descriptor;                                                                         \
	}

SEEN_TEMPORARY(mkstemp, (char *path), (path))
SEEN_TEMPORARY(mkstemp64, (char *path), (path))
SEEN_TEMPORARY(mkostemp, (char *path, int flags), (path, flags))
SEEN_TEMPORARY(mkostemp64, (char *path, int flags), (path, flags))
SEEN_TEMPORARY(mkstemps, (char *path, int suffix), (path, suffix))
SEEN_TEMPORARY(mkstemps64, (char *path, int suffix), (path, suffix))
SEEN_TEMPORARY(mkostemps, (char *path, int suffix, int flags), (path, suffix, flags))
SEEN_TEMPORARY(mkostemps64, (char *path, int suffix, int flags), (path, suffix, flags))

HOOK char *mkdtemp(char *path)
{
	char *made = REAL(mkdtemp)(path);
	if (made)
		seen_change(SEEN_CREATED, AT_FDCWD, path, 0);
	else
		seen_note_name(SEEN_UNSEEN, "mkdtemp");
	return made;
}
