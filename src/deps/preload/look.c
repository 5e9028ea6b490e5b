/* Notes about looks at paths. */

#include "seen.h"

#include <time.h>

/* File systems keep times to the tick of a clock: a file that changes twice within one may keep its
 * time. With this age, in nanoseconds, the next change is sure to show. */
#define SEEN_GRAIN 25000000

/* The same where file systems keep whole seconds, or every other one. */
#define SEEN_COARSE_GRAIN 2025000000

/* Writes the absolute path, as it is spelled, and returns its length, or 0 if it has none. */
size_t seen_absolute(int dir, const char *path, char *into)
{
	size_t length = seen_length(path), before = 0;
	if (length + 1 >= SEEN_PATH_MAX / 2)
		return 0;
	if (*path != '/') {
		long written;
		if (dir == AT_FDCWD) {
			/* Not remembered: a child of vfork shares the memory but has a directory of its own. */
			written = seen_call(SYS_getcwd, (long)into, SEEN_PATH_MAX / 2, 0, 0) - 1;
		} else {
			char link[32] = "/proc/self/fd/", digits[12];
			size_t end = 14, count = 0;
			unsigned number = (unsigned)dir;
			do
				digits[count++] = (char)('0' + number % 10);
			while (number /= 10);
			while (count)
				link[end++] = digits[--count];
			written = seen_call(SYS_readlinkat, AT_FDCWD, (long)link, (long)into, SEEN_PATH_MAX / 2);
		}
		if (written <= 0 || into[0] != '/')
			return 0;
		before = (size_t)written;
		/* "." is the directory itself. */
		while (length && path[0] == '.' && (path[1] == '/' || !path[1])) {
			size_t skip = path[1] ? 2 : 1;
			path += skip;
			length -= skip;
			while (*path == '/') {
				path++;
				length--;
			}
		}
		if (length && into[before - 1] != '/')
			into[before++] = '/';
	}
	seen_copy(into + before, path, length);
	into[before + length] = '\0';
	return before + length;
}

/* An age below the grain, in nanoseconds, or 0 if the file is older. */
static long seen_youth(const struct stat *found)
{
	struct timespec now;
	seen_call(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0);
	int64_t second = 1000000000;
	int64_t changed = found->st_ctim.tv_sec, modified = found->st_mtim.tv_sec;
	int64_t grain = found->st_ctim.tv_nsec ? SEEN_GRAIN : SEEN_COARSE_GRAIN;
	if (changed < now.tv_sec - 3 && modified < now.tv_sec - 3)
		return 0;
	int64_t age = (now.tv_sec - changed) * second + now.tv_nsec - found->st_ctim.tv_nsec;
	int64_t other = (now.tv_sec - modified) * second + now.tv_nsec - found->st_mtim.tv_nsec;
	/* A modification time may be anything, even in the future. Only its last moments count. */
	if (other >= 0 && other < age)
		age = other;
	return age < grain ? (age < 0 ? grain : grain - age) : 0;
}

/* Whether an error says something about the path. Any other may be gone at the next look. */
static bool seen_is_of_path(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case ELOOP:
	case ENAMETOOLONG:
	case EISDIR:
	case EEXIST:
	case EINVAL:
	case ENXIO:
	case ENOEXEC:
	case ENOTEMPTY:
	case ETXTBSY:
	case EXDEV:
	case ENODATA:
	case ENOTSUP:
	case ERANGE:
		return true;
	default:
		return false;
	}
}

static long seen_stat(enum seen_kind kind, const char *path, struct stat *found)
{
	int flags = kind == SEEN_LINK ? AT_SYMLINK_NOFOLLOW : 0;
	return seen_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)found, flags);
}

/* Notes what the path is now, after a call that did not say. */
static void seen_look_again(enum seen_kind kind, const char *path, size_t length, int error)
{
	struct stat found;
	long result = seen_stat(kind, path, &found);
	if (result < 0) {
		if (error == 0)
			seen_note(SEEN_CHANGING, path, length, 0, NULL);
		else
			seen_note(kind, path, length, (int)-result, NULL);
		return;
	}
	seen_note(kind, path, length, 0, &found);
}

/* The absolute path of something that is to be noted, or 0. */
static size_t seen_begin_note(int dir, const char *path, int error, char *into)
{
	if (error == EFAULT || !path || !*path || !seen_is_on())
		return 0;
	size_t length = seen_absolute(dir, path, into);
	if (!length)
		seen_note_name(SEEN_UNSEEN, "a path without a name");
	else if (seen_is_own(into, length))
		return 0;
	return length;
}

void seen_look(enum seen_kind kind, int dir, const char *path, int error, const struct stat *found)
{
	char absolute[SEEN_PATH_MAX];
	int kept = errno;
	size_t length = seen_begin_note(dir, path, error, absolute);
	if (length) {
		if (!error && found)
			seen_note(kind, absolute, length, 0, found);
		else if (error == ENOENT)
			seen_note(kind, absolute, length, ENOENT, NULL);
		else if (seen_is_of_path(error) || !error)
			seen_look_again(kind, absolute, length, error);
		else
			seen_note(SEEN_FAILED, absolute, length, error, NULL);
	}
	errno = kept;
}

/* The status of a file that has just been opened, once it is old enough that the next change of its
 * contents changes its times. */
static void seen_note_open(enum seen_kind kind, const char *path, size_t length, int descriptor)
{
	struct stat found;
	if (seen_call(SYS_fstat, descriptor, (long)&found, 0, 0) < 0) {
		seen_note(SEEN_CHANGING, path, length, 0, NULL);
		return;
	}
	bool is_contents = S_ISREG(found.st_mode) || kind == SEEN_LIST;
	long youth = is_contents && !seen_is_made(path, length) ? seen_youth(&found) : 0;
	if (youth) {
		struct timespec pause = {youth / 1000000000, youth % 1000000000};
		seen_call(SYS_nanosleep, (long)&pause, 0, 0, 0);
		seen_call(SYS_fstat, descriptor, (long)&found, 0, 0);
		if (seen_youth(&found))
			seen_note(SEEN_CHANGING, path, length, 0, NULL);
	}
	seen_note(kind, path, length, 0, &found);
}

static bool seen_is_device(int descriptor)
{
	struct stat found;
	return seen_call(SYS_fstat, descriptor, (long)&found, 0, 0) == 0 && !S_ISREG(found.st_mode) &&
	       !S_ISBLK(found.st_mode) && !S_ISDIR(found.st_mode);
}

void seen_open(int dir, const char *path, int flags, int descriptor)
{
	char absolute[SEEN_PATH_MAX];
	int kept = errno, error = descriptor < 0 ? errno : 0;
	enum seen_kind kind = flags & O_NOFOLLOW ? SEEN_LINK : SEEN_FOLLOW;
	bool is_anonymous = (flags & O_TMPFILE) == O_TMPFILE;
	bool writes = !is_anonymous && ((flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC));
	if (error || is_anonymous) {
		seen_look(kind, dir, path, error, NULL);
		return;
	}
	size_t length = seen_begin_note(dir, path, 0, absolute);
	if (!length) {
		errno = kept;
		return;
	}
	if (!writes || seen_is_device(descriptor))
		seen_note_open(kind, absolute, length, descriptor);
	else if (flags & O_CREAT && flags & O_EXCL)
		seen_note(SEEN_CREATED, absolute, length, 0, NULL);
	else
		seen_note(SEEN_WRITTEN, absolute, length, 0, NULL);
	errno = kept;
}

void seen_list(const char *path, int descriptor)
{
	char absolute[SEEN_PATH_MAX];
	int kept = errno;
	size_t length = seen_begin_note(AT_FDCWD, path, 0, absolute);
	if (length)
		seen_note_open(SEEN_LIST, absolute, length, descriptor);
	errno = kept;
}

/* A file whose contents are about to be used, by its path. Returns whether it is there. */
bool seen_use(const char *path)
{
	char absolute[SEEN_PATH_MAX];
	struct stat found;
	size_t length = seen_begin_note(AT_FDCWD, path, 0, absolute);
	if (!length)
		return seen_call(SYS_faccessat, AT_FDCWD, (long)path, X_OK, 0) == 0;
	long result = seen_stat(SEEN_FOLLOW, absolute, &found);
	if (result < 0) {
		seen_look(SEEN_FOLLOW, AT_FDCWD, path, (int)-result, NULL);
		return false;
	}
	long youth = S_ISREG(found.st_mode) && !seen_is_made(absolute, length) ? seen_youth(&found) : 0;
	if (youth) {
		struct timespec pause = {youth / 1000000000, youth % 1000000000};
		seen_call(SYS_nanosleep, (long)&pause, 0, 0, 0);
		if (seen_stat(SEEN_FOLLOW, absolute, &found) < 0 || seen_youth(&found))
			seen_note(SEEN_CHANGING, absolute, length, 0, NULL);
	}
	seen_note(SEEN_FOLLOW, absolute, length, 0, &found);
	return S_ISREG(found.st_mode) && seen_call(SYS_faccessat, AT_FDCWD, (long)absolute, X_OK, 0) == 0;
}

/* A file whose contents were used a moment ago. A second path may follow. */
void seen_used(enum seen_kind kind, const char *path, const char *other)
{
	char both[2 * SEEN_PATH_MAX];
	struct stat found;
	size_t length = seen_absolute(AT_FDCWD, path, both), more = other ? seen_length(other) : 0;
	if (!length || more >= SEEN_PATH_MAX) {
		seen_note_name(SEEN_UNSEEN, "a long path");
		return;
	}
	if (seen_stat(SEEN_FOLLOW, both, &found) < 0 ||
	    (!seen_is_own(both, length) && !seen_is_made(both, length) && seen_youth(&found)))
		seen_note(SEEN_CHANGING, both, length, 0, NULL);
	if (other) {
		seen_copy(both + length + 1, other, more);
		length += 1 + more;
	}
	seen_note(kind, both, length, 0, &found);
}

void seen_change(enum seen_kind kind, int dir, const char *path, int result)
{
	char absolute[SEEN_PATH_MAX];
	int kept = errno, error = result == -1 ? errno : 0;
	if (error) {
		/* That something is not there may be meant of another path, such as the target of a link. */
		seen_look(SEEN_LINK, dir, path, error == ENOENT ? ENOTDIR : error, NULL);
		return;
	}
	size_t length = seen_begin_note(dir, path, 0, absolute);
	if (length)
		seen_note(kind, absolute, length, 0, NULL);
	errno = kept;
}
