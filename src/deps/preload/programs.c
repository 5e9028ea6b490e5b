/* Programs: what this one consists of, and hooks of functions that start others. */

#include "seen.h"

#include <link.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

extern char **environ;

/* What is mapped. */

/* How many libraries had been loaded when they were last noted. */
static unsigned long long seen_loaded;

static int seen_map_object(struct dl_phdr_info *object, size_t size, void *data)
{
	(void)size;
	*(unsigned long long *)data = object->dlpi_adds;
	/* The program itself has no name here, and the kernel's own object no path. */
	const char *name = object->dlpi_name;
	bool is_path = false;
	for (const char *at = name; at && *at; at++)
		is_path |= *at == '/';
	if (is_path && !seen_is_ours((const void *)(object->dlpi_addr + object->dlpi_phdr[0].p_vaddr)))
		seen_used(SEEN_MAPPED, name, NULL);
	return 0;
}

void seen_map_objects(void)
{
	dl_iterate_phdr(seen_map_object, &seen_loaded);
}

static int seen_count_loaded(struct dl_phdr_info *object, size_t size, void *data)
{
	(void)size;
	*(unsigned long long *)data = object->dlpi_adds;
	return 1;
}

/* The C library loads some libraries itself, for example to convert text or to end a thread. */
__attribute__((destructor)) static void seen_end(void)
{
	unsigned long long loaded = 0;
	if (!seen_is_on())
		return;
	dl_iterate_phdr(seen_count_loaded, &loaded);
	if (loaded != seen_loaded)
		seen_note_name(SEEN_UNSEEN, "load");
}

static bool seen_may_load;

void seen_expect_loads(void)
{
	__atomic_store_n(&seen_may_load, true, __ATOMIC_RELAXED);
}

/* The same where this program ends without destructors. Most programs load nothing unasked then, and
 * are spared a call that is not safe in a signal handler. */
static void seen_end_at_once(void)
{
	int kept = errno;
	if (__atomic_load_n(&seen_may_load, __ATOMIC_RELAXED))
		seen_end();
	errno = kept;
}

HOOK void _exit(int status)
{
	seen_end_at_once();
	REAL(_exit)(status);
	__builtin_unreachable();
}

HOOK void _Exit(int status)
{
	_exit(status);
}

HOOK void quick_exit(int status)
{
	seen_end_at_once();
	REAL(quick_exit)(status);
	__builtin_unreachable();
}

/* An option such as -march=native, with which a compiler asks the processor itself. */
static bool seen_asks_processor(const char *option)
{
	while (*option && *option != '=')
		option++;
	return seen_equal(option, "=native");
}

void seen_scan_options(int count, char **words)
{
	for (int i = 1; i < count; i++)
		if (words[i] && seen_asks_processor(words[i]))
			seen_note_name(SEEN_UNSEEN, "native");
}

/* Introduces this program. */
void seen_begin(void)
{
	char executable[SEEN_PATH_MAX];
	long length = seen_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)executable,
	                        SEEN_PATH_MAX - 1);
	const char *path = (const char *)getauxval(AT_EXECFN);
	if (length <= 0 || !path || !*path) {
		seen_note_name(SEEN_UNSEEN, "a program without a path");
		return;
	}
	executable[length] = '\0';
	seen_used(SEEN_IMAGE, path, executable);
	const char *libraries = seen_variable("LD_LIBRARY_PATH");
	if (libraries && *libraries)
		seen_note(SEEN_LIBRARIES, libraries, seen_length(libraries), 0, NULL);
	seen_map_objects();
}

/* Starting programs. */

/* Notes a program that is about to start. Returns whether it is there. */
static bool seen_start(const char *path)
{
	if (!seen_is_on())
		return false;
	char absolute[SEEN_PATH_MAX];
	int kept = errno;
	/* The other program may take the place of this one. */
	seen_end_at_once();
	bool is_there = path && *path && seen_use(path);
	if (is_there) {
		size_t length = seen_absolute(AT_FDCWD, path, absolute);
		if (length)
			seen_note(SEEN_STARTED, absolute, length, 0, NULL);
	}
	seen_expect(1);
	errno = kept;
	return is_there;
}

/* Takes a program back that did not start. If it was there, the reason may be another file, such as
 * the interpreter that a script names. */
static void seen_not_started(const char *path, bool is_there, int error)
{
	seen_expect(-1);
	if (is_there && error != EACCES && error != EPERM && error != ENOEXEC && seen_is_on()) {
		int kept = errno;
		seen_note(SEEN_FAILED, path, seen_length(path), error, NULL);
		errno = kept;
	}
}

/* The same for a program that is looked for in the directories of PATH: notes each, up to the first
 * where it is. */
static bool seen_start_on_path(const char *file)
{
	if (!file || !*file || !seen_is_on())
		return seen_start(file);
	for (const char *at = file; *at; at++)
		if (*at == '/')
			return seen_start(file);
	char place[SEEN_PATH_MAX];
	int kept = errno;
	size_t name = seen_length(file), length = 0;
	const char *dirs = seen_variable("PATH");
	seen_note_name(SEEN_VARIABLE, "PATH");
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; dirs; dirs = dirs[length] ? dirs + length + 1 : NULL) {
		for (length = 0; dirs[length] && dirs[length] != ':';)
			length++;
		if (length + name + 2 > SEEN_PATH_MAX / 2)
			continue;
		size_t end = length;
		seen_copy(place, dirs, length);
		if (end)
			place[end++] = '/';
		seen_copy(place + end, file, name + 1);
		struct stat found;
		if (seen_use(place) &&
		    seen_call(SYS_newfstatat, AT_FDCWD, (long)place, (long)&found, 0) == 0) {
			errno = kept;
			return seen_start(place);
		}
	}
	seen_expect(1);
	errno = kept;
	return false;
}

HOOK int execve(const char *path, char *const arguments[], char *const environment[])
{
	bool is_there = seen_start(path);
	int result = REAL(execve)(path, arguments, environment);
	seen_not_started(path, is_there, errno);
	return result;
}

HOOK int execv(const char *path, char *const arguments[])
{
	return execve(path, arguments, environ);
}

HOOK int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	bool is_there = seen_start_on_path(file);
	int result = REAL(execvpe)(file, arguments, environment);
	seen_not_started(file, is_there, errno);
	return result;
}

HOOK int execvp(const char *file, char *const arguments[])
{
	return execvpe(file, arguments, environ);
}

HOOK int fexecve(int descriptor, char *const arguments[], char *const environment[])
{
	seen_note_name(SEEN_UNSEEN, "fexecve");
	return REAL(fexecve)(descriptor, arguments, environment);
}

HOOK int execveat(int dir, const char *path, char *const arguments[], char *const environment[],
                  int flags)
{
	seen_note_name(SEEN_UNSEEN, "execveat");
	return REAL(execveat)(dir, path, arguments, environment, flags);
}

HOOK int posix_spawn(pid_t *restrict process, const char *restrict path,
                     const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
                     char *const environment[restrict])
{
	bool is_there = seen_start(path);
	int error = REAL(posix_spawn)(process, path, actions, attributes, arguments, environment);
	if (error)
		seen_not_started(path, is_there, error);
	return error;
}

HOOK int posix_spawnp(pid_t *restrict process, const char *restrict file,
                      const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
                      char *const environment[restrict])
{
	bool is_there = seen_start_on_path(file);
	int error = REAL(posix_spawnp)(process, file, actions, attributes, arguments, environment);
	if (error)
		seen_not_started(file, is_there, error);
	return error;
}

/* The files of a child's standard streams. */
HOOK int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *restrict actions,
                                          int descriptor, const char *restrict path, int flags,
                                          mode_t mode)
{
	if (seen_is_on()) {
		bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
		if (!writes)
			seen_use(path);
		else if (!seen_equal(path, "/dev/null"))
			seen_change(SEEN_WRITTEN, AT_FDCWD, path, 0);
	}
	return REAL(posix_spawn_file_actions_addopen)(actions, descriptor, path, flags, mode);
}

HOOK int system(const char *command)
{
	if (!command)
		return REAL(system)(command);
	seen_start("/bin/sh");
	int result = REAL(system)(command);
	if (result == -1)
		seen_expect(-1);
	return result;
}

HOOK FILE *popen(const char *command, const char *mode)
{
	seen_start("/bin/sh");
	FILE *stream = REAL(popen)(command, mode);
	if (!stream)
		seen_expect(-1);
	return stream;
}

/* Loading libraries. */

void *dlopen(const char *path, int mode);
void *dlmopen(long space, const char *path, int mode);

HOOK void *dlopen(const char *path, int mode)
{
	bool is_path = false;
	for (const char *at = path; at && *at; at++)
		is_path |= *at == '/';
	if (!is_path) {
		if (path)
			seen_note_name(SEEN_UNSEEN, "dlopen");
		/* The loader searches the directories that the calling library names, so that the call
		 * must look as if this function were not there. The compiler makes a jump of it. */
		return REAL(dlopen)(path, mode);
	}
	if (!seen_is_on())
		return REAL(dlopen)(path, mode);
	seen_use(path);
	void *library = REAL(dlopen)(path, mode);
	int kept = errno;
	seen_map_objects();
	errno = kept;
	return library;
}

HOOK void *dlmopen(long space, const char *path, int mode)
{
	seen_note_name(SEEN_UNSEEN, "dlmopen");
	return REAL(dlmopen)(space, path, mode);
}
