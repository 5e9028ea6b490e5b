/* A library that is preloaded into CMake and asks the session about each program that CMake is about
 * to start.
 *
 * CMake starts programs with fork or vfork, and execvp. The hook stands in for execvp. It tells the
 * session what is to be started, and the session either says how that ended, or that it has to be
 * started after all. src/session/programs.rs is the other end; both must change together.
 *
 * The rules of src/deps/preload/seen.h hold here, too. After vfork, the memory is CMake's, and CMake
 * waits: so nothing but the stack is written to, and no more output is written than the pipes
 * hold. */

#include "../../deps/preload/seen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

extern char **environ;

/* How the session is found: `NAME LIBRARY`, an abstract socket and the path of this library. */
#define HOOK_VARIABLE "TRYALL_HOOK="

/* The longest call, and the longest output that is handed on. */
#define HOOK_MAX 65536

/* The least that a pipe must hold, in bytes: what Linux gives by default. */
#define HOOK_PIPE 65536

/* The name of the socket; empty if this program is not CMake. Written before main. */
static struct sockaddr_un hook_socket;
static socklen_t hook_socket_length;
/* The process of CMake itself, which becomes no other program. */
static long hook_process;

/* The head of a call. Strings follow, each with its zero: the program, the current directory, the
 * words, the variables. */
struct hook_call {
	uint32_t length; /* of the strings */
	uint32_t room;   /* bytes of output that can be written at once */
	uint32_t merged; /* whether standard output and standard error are one */
	uint32_t words;
	uint32_t variables;
};

/* The head of a reply. Standard output follows, and then standard error. */
struct hook_reply {
	uint32_t is_known; /* zero: the program has to be started */
	uint32_t status;
	uint32_t out;
	uint32_t err;
};

/* Takes a variable out of the environment that main will see. */
static void hook_remove(char **variable)
{
	for (; *variable; variable++)
		variable[0] = variable[1];
}

/* Whether this program is CMake. One that starts CMake, such as a script, keeps the library. */
static bool hook_is_cmake(void)
{
	char path[4096];
	long length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof path - 1);
	if (length <= 0)
		return false;
	path[length] = 0;
	return seen_starts(seen_base(path), "cmake");
}

__attribute__((constructor)) static void hook_begin(void)
{
	char **variable = seen_entry(HOOK_VARIABLE);
	if (!variable || !hook_is_cmake())
		return;
	const char *name = *variable + sizeof HOOK_VARIABLE - 1, *space = name;
	while (*space && *space != ' ')
		space++;
	size_t length = (size_t)(space - name);
	if (!*space || length >= sizeof hook_socket.sun_path)
		return;
	char **preload = seen_entry("LD_PRELOAD=");
	if (preload && seen_equal(*preload + sizeof "LD_PRELOAD=" - 1, space + 1))
		hook_remove(preload);
	/* The names of abstract sockets begin with a zero. */
	hook_socket.sun_family = AF_UNIX;
	seen_copy(hook_socket.sun_path + 1, name, length);
	hook_socket_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
	hook_process = syscall(SYS_getpid);
	hook_remove(seen_entry(HOOK_VARIABLE));
}

/* How many bytes can be written to a descriptor without anybody reading them; -1 if that is not
 * certain. */
static long hook_room(const struct stat *file, int descriptor)
{
	int waiting = 0;
	if (S_ISREG(file->st_mode) || (S_ISCHR(file->st_mode) && file->st_rdev == 0x103))
		return HOOK_MAX;
	if (S_ISFIFO(file->st_mode)) {
		if (fcntl(descriptor, F_GETPIPE_SZ) < HOOK_PIPE || ioctl(descriptor, FIONREAD, &waiting) ||
		    waiting)
			return -1;
		return HOOK_PIPE;
	}
	return -1;
}

static bool hook_write(int descriptor, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(descriptor, text, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return true;
}

static bool hook_read(int descriptor, char *into, size_t length)
{
	while (length) {
		ssize_t got = read(descriptor, into, length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		into += got;
		length -= (size_t)got;
	}
	return true;
}

/* Appends a string with its zero. Returns whether there was space. */
static bool hook_append(char *into, uint32_t *length, const char *text)
{
	size_t more = seen_length(text) + 1;
	if (more > HOOK_MAX - *length)
		return false;
	seen_copy(into + *length, text, more);
	*length += (uint32_t)more;
	return true;
}

/* Whether the other end of a socket is this user's. Everybody can see the name of the socket, and take it
 * once the session has ended. */
static bool hook_is_own(int session)
{
	struct ucred other;
	socklen_t length = sizeof other;
	return !getsockopt(session, SOL_SOCKET, SO_PEERCRED, &other, &length) &&
	       other.uid == (uid_t)syscall(SYS_geteuid);
}

/* Asks the session about a program, with a buffer of HOOK_MAX bytes. Returns whether the reply is in
 * `reply` and the buffer. */
static bool hook_ask(const char *file, char *const words[], struct hook_reply *reply, char *buffer)
{
	struct stat out, err;
	struct hook_call call = {0};
	if (syscall(SYS_fstat, 1, &out) || syscall(SYS_fstat, 2, &err))
		return false;
	call.merged = out.st_dev == err.st_dev && out.st_ino == err.st_ino;
	long room = hook_room(&out, 1), other = hook_room(&err, 2);
	room = room < other ? room : other;
	if (room < 0)
		return false;
	call.room = (uint32_t)room;
	char dir[4096];
	if (syscall(SYS_getcwd, dir, sizeof dir) <= 0 || dir[0] != '/')
		return false;
	if (!hook_append(buffer, &call.length, file) || !hook_append(buffer, &call.length, dir))
		return false;
	for (; words[call.words]; call.words++)
		if (!hook_append(buffer, &call.length, words[call.words]))
			return false;
	for (; environ && environ[call.variables]; call.variables++)
		if (!hook_append(buffer, &call.length, environ[call.variables]))
			return false;
	int session = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (session < 0)
		return false;
	bool has_reply =
		!connect(session, (const struct sockaddr *)&hook_socket, hook_socket_length) &&
		hook_is_own(session) &&
		hook_write(session, (const char *)&call, sizeof call) &&
		hook_write(session, buffer, call.length) &&
		hook_read(session, (char *)reply, sizeof *reply) && reply->is_known &&
		reply->out <= HOOK_MAX && reply->err <= HOOK_MAX - reply->out &&
		hook_read(session, buffer, reply->out + reply->err);
	close(session);
	return has_reply;
}

HOOK int execvp(const char *file, char *const words[])
{
	int error = errno;
	if (hook_process && syscall(SYS_getpid) != hook_process) {
		char buffer[HOOK_MAX];
		struct hook_reply reply;
		if (hook_ask(file, words, &reply, buffer)) {
			if (hook_write(1, buffer, reply.out))
				hook_write(2, buffer + reply.out, reply.err);
			_exit((int)reply.status);
		}
	}
	errno = error;
	return REAL(execvp)(file, words);
}
