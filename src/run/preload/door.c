/* A library that is preloaded into shells and other programs that start compilers, for the time of
 * `tryall run`. When a compiler is to be started, it starts tryall in its place, which knows what to do.
 *
 * TRYALL_RUN names the directory of the run. In it are
 *
 *   door.so    this library; once it is gone, the run has ended
 *   tryall     the program
 *   compilers  the paths of the compilers, with a zero after each
 *
 * Only programs that are known to start others inherit this library. All others, and all compilers, get
 * the environment as it would be without. docs/design/run.md has the reasons.
 *
 * Hooks run in children of vfork: they use the stack and nothing else. */

#include "../../deps/preload/seen.h"

#include <spawn.h>
#include <sys/mman.h>

#define DOOR_PATH_MAX 4096
#define DOOR_LIBRARY "/door.so"

extern char **environ;

int execvpe(const char *file, char *const words[], char *const env[]);

static char door_dir[DOOR_PATH_MAX];
static char door_library[DOOR_PATH_MAX];
static const char *door_compilers;
static size_t door_compilers_size;

/* What becomes of a program's environment. */
enum door_way {
	DOOR_LEAVE, /* it does not start compilers: without the run */
	DOOR_KEEP,  /* it may start compilers: as it is */
	DOOR_ENTER  /* it is a compiler: tryall takes its place */
};

static const char *door_variable(const char *start)
{
	char **entry = seen_entry(start);
	return entry ? *entry + seen_length(start) : NULL;
}

static size_t door_join(char *into, const char *dir, size_t length, const char *name)
{
	size_t more = seen_length(name);
	if (length + more + 2 > DOOR_PATH_MAX)
		return 0;
	seen_copy(into, dir, length);
	if (length && into[length - 1] != '/')
		into[length++] = '/';
	seen_copy(into + length, name, more + 1);
	return length + more;
}

__attribute__((constructor)) static void door_open(void)
{
	const char *dir = door_variable("TRYALL_RUN=");
	char list[DOOR_PATH_MAX];
	size_t length = dir ? seen_length(dir) : 0;
	if (!length || !door_join(list, dir, length, "compilers") ||
	    !door_join(door_library, dir, length, "door.so"))
		return;
	long file = seen_call(SYS_openat, AT_FDCWD, (long)list, O_RDONLY | O_CLOEXEC, 0);
	struct stat found;
	if (file < 0)
		return;
	if (seen_call(SYS_fstat, file, (long)&found, 0, 0) == 0 && found.st_size > 0) {
		void *map = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE, (int)file, 0);
		if (map != MAP_FAILED) {
			door_compilers = map;
			door_compilers_size = (size_t)found.st_size;
			seen_copy(door_dir, dir, length + 1);
		}
	}
	seen_call(SYS_close, file, 0, 0, 0);
}

static bool door_is_compiler(const char *path)
{
	const char *at = door_compilers, *end = at + door_compilers_size;
	for (; at && at < end; at += seen_length(at) + 1)
		if (seen_equal(at, path))
			return true;
	return false;
}

/* Whether a program of this name, which may end in a version, is known to start others. */
static bool door_starts_others(const char *name, size_t length)
{
	static const char *const starters[] = {
		"sh", "dash", "bash", "ksh", "mksh", "zsh", "python", "perl", "ruby", "tclsh", "make", "gmake",
		"ninja", "samu", "cmake", "ctest", "qmake", "cargo", "rustc", "env", "nice", "nohup", "time",
		"timeout", "xargs", "find", "setsid", "stdbuf",
	};
	while (length && ((name[length - 1] >= '0' && name[length - 1] <= '9') || name[length - 1] == '.'))
		length--;
	for (size_t i = 0; i < sizeof starters / sizeof *starters; i++)
		if (seen_length(starters[i]) == length && seen_starts(name, starters[i]))
			return true;
	return false;
}

static bool door_contains(const char *text, size_t length, const char *part)
{
	size_t size = seen_length(part);
	for (size_t i = 0; i + size <= length; i++)
		if (__builtin_memcmp(text + i, part, size) == 0)
			return true;
	return false;
}

/* Whether a script that begins like this is read by a program that starts others. */
static bool door_is_script_of_starter(const char *text, size_t length)
{
	size_t at = 2, name, end;
	while (at < length && (text[at] == ' ' || text[at] == '\t'))
		at++;
	for (;;) {
		name = at;
		while (at < length && text[at] != ' ' && text[at] != '\t' && text[at] != '\n')
			if (text[at++] == '/')
				name = at;
		end = at;
		if (end - name != 3 || !seen_starts(text + name, "env"))
			break;
		/* What follows `env` is the program. */
		while (at < length && (text[at] == ' ' || text[at] == '\t'))
			at++;
	}
	return end < length && door_starts_others(text + name, end - name);
}

/* Whether a program may start compilers, and this library can be loaded into it. */
static bool door_is_starter(const char *path)
{
	char head[1024];
	long file = seen_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (file < 0)
		return false;
	long length = seen_call(SYS_read, file, (long)head, sizeof head - 1, 0);
	seen_call(SYS_close, file, 0, 0, 0);
	if (length < 64)
		head[length < 0 ? 0 : length] = '\0';
	if (length > 2 && head[0] == '#' && head[1] == '!')
		return door_is_script_of_starter(head, (size_t)length);
	/* Programs of another machine or C library would complain. */
	bool is_ours = length > 64 && seen_starts(head, "\177ELF") && head[4] == 2 &&
	               door_contains(head, (size_t)length, "ld-linux");
	/* A program in the current directory may have been built there, and have any name. */
	const char *name = seen_base(path);
	return is_ours && path[0] == '/' && door_starts_others(name, seen_length(name));
}

static enum door_way door_way_of(const char *path)
{
	if (!door_dir[0])
		return DOOR_KEEP;
	/* Once the run has ended, nobody is to look for the library. */
	if (seen_call(SYS_faccessat, AT_FDCWD, (long)door_library, R_OK, 0) < 0)
		return DOOR_LEAVE;
	if (door_is_compiler(path))
		return DOOR_ENTER;
	return door_is_starter(path) ? DOOR_KEEP : DOOR_LEAVE;
}

/* The program that is found on PATH for a name, or null. */
static const char *door_find(const char *file, char *into)
{
	for (const char *at = file; *at; at++)
		if (*at == '/')
			return file;
	const char *path = door_variable("PATH=");
	while (path && *file) {
		size_t length = 0;
		while (path[length] && path[length] != ':')
			length++;
		if (door_join(into, path, length, file) &&
		    seen_call(SYS_faccessat, AT_FDCWD, (long)into, X_OK, 0) == 0)
			return into;
		if (!path[length])
			break;
		path += length + 1;
	}
	return NULL;
}

static size_t door_count(char *const env[])
{
	size_t count = 0;
	while (env && env[count])
		count++;
	return count;
}

/* The space for an environment: its entries, three more, and one that is changed. */
#define DOOR_SPACE(env)                                                                            \
	const char *door_env[door_count(env) + 4];                                                     \
	char door_changed[door_preload_length(env) + 1];                                               \
	char door_program[DOOR_PATH_MAX + 16], door_run[DOOR_PATH_MAX + 12]

static size_t door_preload_length(char *const env[])
{
	for (; env && *env; env++)
		if (seen_starts(*env, "LD_PRELOAD="))
			return seen_length(*env);
	return 0;
}

/* LD_PRELOAD without this library. Returns whether anything is left. */
static bool door_without_library(const char *entry, char *into)
{
	size_t head = seen_length("LD_PRELOAD="), used = head, own = seen_length(door_library);
	seen_copy(into, entry, head);
	for (const char *at = entry + head; *at;) {
		size_t length = 0;
		while (at[length] && at[length] != ':' && at[length] != ' ')
			length++;
		bool is_own = length == own && seen_starts(at, door_library);
		if (length && !is_own) {
			if (used > head)
				into[used++] = ':';
			seen_copy(into + used, at, length);
			used += length;
		}
		at += length + (at[length] != '\0');
	}
	into[used] = '\0';
	return used > head;
}

/* The environment of a program. */
static char *const *door_prepare(enum door_way way, const char *path, char *const env[],
                                 const char **into, char *changed, char *program, char *run)
{
	if (way == DOOR_KEEP || !door_dir[0])
		return env;
	size_t count = 0;
	for (char *const *at = env; at && *at; at++) {
		if (seen_starts(*at, "TRYALL_RUN=") || seen_starts(*at, "TRYALL_PROGRAM="))
			continue;
		if (!seen_starts(*at, "LD_PRELOAD="))
			into[count++] = *at;
		else if (door_without_library(*at, changed))
			into[count++] = changed;
	}
	if (way == DOOR_ENTER) {
		size_t length = seen_length("TRYALL_PROGRAM=");
		seen_copy(program, "TRYALL_PROGRAM=", length);
		seen_copy(program + length, path, seen_length(path) + 1);
		into[count++] = program;
		length = seen_length("TRYALL_RUN=");
		seen_copy(run, "TRYALL_RUN=", length);
		seen_copy(run + length, door_dir, seen_length(door_dir) + 1);
		into[count++] = run;
	}
	into[count] = NULL;
	return (char *const *)(uintptr_t)into;
}

#define DOOR_PREPARE(way, path, env)                                                               \
	door_prepare(way, path, env, door_env, door_changed, door_program, door_run)

/* Starts tryall in the place of a compiler. Returns if that is not possible. */
static void door_enter(const char *path, char *const words[], char *const env[])
{
	char shim[DOOR_PATH_MAX];
	DOOR_SPACE(env);
	int kept = errno;
	char *const *all = DOOR_PREPARE(DOOR_ENTER, path, env);
	if (door_join(shim, door_dir, seen_length(door_dir), "tryall"))
		syscall(SYS_execve, shim, words, all);
	errno = kept;
}

HOOK int execve(const char *path, char *const words[], char *const env[])
{
	enum door_way way = door_way_of(path);
	if (way == DOOR_ENTER) {
		door_enter(path, words, env);
		way = DOOR_LEAVE;
	}
	DOOR_SPACE(env);
	return (int)syscall(SYS_execve, path, words, DOOR_PREPARE(way, path, env));
}

HOOK int execv(const char *path, char *const words[])
{
	return execve(path, words, environ);
}

HOOK int execvpe(const char *file, char *const words[], char *const env[])
{
	char found[DOOR_PATH_MAX];
	const char *path = door_find(file, found);
	enum door_way way = path ? door_way_of(path) : DOOR_LEAVE;
	if (way == DOOR_ENTER) {
		door_enter(path, words, env);
		way = DOOR_LEAVE;
	}
	DOOR_SPACE(env);
	return REAL(execvpe)(file, words, DOOR_PREPARE(way, path, env));
}

HOOK int execvp(const char *file, char *const words[])
{
	return execvpe(file, words, environ);
}

HOOK int posix_spawn(pid_t *restrict process, const char *restrict path,
                     const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict attributes,
                     char *const words[restrict], char *const env[restrict])
{
	char shim[DOOR_PATH_MAX];
	enum door_way way = door_way_of(path);
	DOOR_SPACE(env);
	char *const *all = DOOR_PREPARE(way, path, env);
	const char *program = path;
	if (way == DOOR_ENTER && door_join(shim, door_dir, seen_length(door_dir), "tryall"))
		program = shim;
	return REAL(posix_spawn)(process, program, actions, attributes, words, all);
}

HOOK int posix_spawnp(pid_t *restrict process, const char *restrict file,
                      const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict attributes,
                      char *const words[restrict], char *const env[restrict])
{
	char found[DOOR_PATH_MAX];
	const char *path = door_find(file, found);
	if (path && door_way_of(path) == DOOR_ENTER)
		return posix_spawn(process, path, actions, attributes, words, env);
	enum door_way way = path ? door_way_of(path) : DOOR_LEAVE;
	DOOR_SPACE(env);
	return REAL(posix_spawnp)(process, file, actions, attributes, words, DOOR_PREPARE(way, path, env));
}
