/* Hooks of functions that read the environment, or that look at more than can be seen. */

#include "seen.h"

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>

HOOK char *getenv(const char *name)
{
	seen_note_name(SEEN_VARIABLE, name);
	return REAL(getenv)(name);
}

HOOK char *secure_getenv(const char *name)
{
	seen_note_name(SEEN_VARIABLE, name);
	return REAL(secure_getenv)(name);
}

/* The names of the machine are a dependency like a variable: src/deps/system.rs. */

#define SEEN_HOST(type, name, parameters, arguments)                                               \
	HOOK type name parameters                                                                      \
	{                                                                                              \
		seen_note_name(SEEN_VARIABLE, "host=");                                                    \
		return REAL(name) arguments;                                                               \
	}
int __gethostname_chk(char *name, size_t size, size_t whole);
int __getdomainname_chk(char *name, size_t size, size_t whole);

SEEN_HOST(int, uname, (struct utsname *into), (into))
SEEN_HOST(int, gethostname, (char *name, size_t size), (name, size))
SEEN_HOST(int, __gethostname_chk, (char *name, size_t size, size_t whole), (name, size, whole))
SEEN_HOST(int, getdomainname, (char *name, size_t size), (name, size))
SEEN_HOST(int, __getdomainname_chk, (char *name, size_t size, size_t whole), (name, size, whole))

/* So is what the system knows of the user who runs the program, but not of others. A module of the
 * C library that is loaded for it is noted when the program ends. */

static void seen_user(uid_t user)
{
	bool is_own = (long)user == seen_call(SYS_getuid, 0, 0, 0, 0) &&
	              (long)user == seen_call(SYS_geteuid, 0, 0, 0, 0);
	seen_note_name(is_own ? SEEN_VARIABLE : SEEN_UNSEEN, is_own ? "user=" : "getpwuid");
	seen_expect_loads();
}

HOOK struct passwd *getpwuid(uid_t user)
{
	seen_user(user);
	return REAL(getpwuid)(user);
}

HOOK int getpwuid_r(uid_t user, struct passwd *restrict into, char *restrict text, size_t size,
                    struct passwd **restrict result)
{
	seen_user(user);
	return REAL(getpwuid_r)(user, into, text, size, result);
}

/* What is different at every moment. Whether it matters depends on the program: src/deps/reading.rs.
 * Those that ask for the time call the system themselves, because the C library chooses its own
 * functions when it is loaded. */

HOOK time_t time(time_t *into)
{
	struct timespec now;
	seen_note_name(SEEN_MOMENT, "time");
	seen_call(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0);
	if (into)
		*into = now.tv_sec;
	return now.tv_sec;
}

HOOK int gettimeofday(struct timeval *restrict into, void *restrict zone)
{
	seen_note_name(SEEN_MOMENT, "time");
	return (int)REAL(syscall)(SYS_gettimeofday, into, zone);
}

/* All clocks but those of the time that a process has used. The clock of others is a negative number. */
static bool seen_tells_the_time(clockid_t clock)
{
	return clock >= 0 && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID;
}

HOOK int clock_gettime(clockid_t clock, struct timespec *into)
{
	if (seen_tells_the_time(clock))
		seen_note_name(SEEN_MOMENT, "time");
	return (int)REAL(syscall)(SYS_clock_gettime, clock, into);
}

HOOK int timespec_get(struct timespec *into, int base)
{
	seen_note_name(SEEN_MOMENT, "time");
	return REAL(timespec_get)(into, base);
}

HOOK int sysinfo(struct sysinfo *into)
{
	seen_note_name(SEEN_MOMENT, "sysinfo");
	return REAL(sysinfo)(into);
}

HOOK int kill(pid_t process, int signal)
{
	if (signal == 0)
		seen_note_name(SEEN_MOMENT, "kill");
	return REAL(kill)(process, signal);
}

/* Sockets: somebody else may look at files for this program. */

HOOK int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
	seen_note_name(SEEN_UNSEEN, "connect");
	return REAL(connect)(descriptor, address, length);
}

HOOK ssize_t sendto(int descriptor, const void *data, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length)
{
	if (address)
		seen_note_name(SEEN_UNSEEN, "sendto");
	return REAL(sendto)(descriptor, data, size, flags, address, length);
}

/* System calls that a program makes itself. Those of this list do not touch files. */
static bool seen_is_harmless(long number)
{
	switch (number) {
	case SYS_gettid:
	case SYS_getpid:
	case SYS_futex:
	case SYS_getrandom:
	case SYS_sched_getaffinity:
	case SYS_sched_setaffinity:
	case SYS_sched_yield:
	case SYS_membarrier:
	case SYS_getcpu:
	case SYS_tgkill:
	case SYS_close:
	case SYS_close_range:
	case SYS_read:
	case SYS_write:
	case SYS_mmap:
	case SYS_munmap:
	case SYS_madvise:
	case SYS_pidfd_open:
	case SYS_pidfd_send_signal:
	case SYS_rt_sigprocmask:
	case SYS_set_robust_list:
		return true;
	default:
		return false;
	}
}

HOOK long syscall(long number, ...)
{
	va_list list;
	long word[6];
	/* There are at most six arguments. Reading more than were passed is harmless here. */
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		word[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_clock_gettime) {
		if (seen_tells_the_time((clockid_t)word[0]))
			seen_note_name(SEEN_MOMENT, "time");
	} else if (!seen_is_harmless(number)) {
		seen_note_name(SEEN_UNSEEN, "syscall");
	}
	return REAL(syscall)(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}

/* Functions that look at files inside the C library, or ask the system for things that are no
 * files. Each is noted by its name and then called as if this library were not there: the types do
 * not matter, because the compiler makes a jump of it. */

#define SEEN_UNSEEN_HOOK(name)                                                                     \
	HOOK void *seen_hook_##name(long a, long b, long c, long d, long e, long f) __asm__(#name);    \
	void *seen_hook_##name(long a, long b, long c, long d, long e, long f)                         \
	{                                                                                              \
		static void *found;                                                                        \
		seen_note_name(SEEN_UNSEEN, #name);                                                        \
		if (!found)                                                                                \
			found = seen_find(#name);                                                              \
		return ((__typeof__(&seen_hook_##name))found)(a, b, c, d, e, f);                           \
	}

SEEN_UNSEEN_HOOK(iconv_open)
SEEN_UNSEEN_HOOK(scandir)
SEEN_UNSEEN_HOOK(scandir64)
SEEN_UNSEEN_HOOK(scandirat)
SEEN_UNSEEN_HOOK(scandirat64)
SEEN_UNSEEN_HOOK(ctime)
SEEN_UNSEEN_HOOK(ctime_r)
SEEN_UNSEEN_HOOK(localtime)
SEEN_UNSEEN_HOOK(localtime_r)
SEEN_UNSEEN_HOOK(mktime)
SEEN_UNSEEN_HOOK(tzset)
SEEN_UNSEEN_HOOK(getdents64)
SEEN_UNSEEN_HOOK(wordexp)
SEEN_UNSEEN_HOOK(ftw)
SEEN_UNSEEN_HOOK(ftw64)
SEEN_UNSEEN_HOOK(nftw)
SEEN_UNSEEN_HOOK(nftw64)
SEEN_UNSEEN_HOOK(fts_open)
SEEN_UNSEEN_HOOK(fts64_open)
SEEN_UNSEEN_HOOK(catopen)
SEEN_UNSEEN_HOOK(adjtimex)
SEEN_UNSEEN_HOOK(clock_adjtime)
SEEN_UNSEEN_HOOK(ntp_adjtime)
SEEN_UNSEEN_HOOK(ntp_gettime)
SEEN_UNSEEN_HOOK(ntp_gettimex)
SEEN_UNSEEN_HOOK(shm_open)
SEEN_UNSEEN_HOOK(shm_unlink)
SEEN_UNSEEN_HOOK(sem_open)
SEEN_UNSEEN_HOOK(name_to_handle_at)
SEEN_UNSEEN_HOOK(open_by_handle_at)
SEEN_UNSEEN_HOOK(openat2)
SEEN_UNSEEN_HOOK(posix_spawn_file_actions_addchdir_np)
SEEN_UNSEEN_HOOK(inotify_add_watch)
SEEN_UNSEEN_HOOK(setxattr)
SEEN_UNSEEN_HOOK(lsetxattr)
SEEN_UNSEEN_HOOK(removexattr)
SEEN_UNSEEN_HOOK(lremovexattr)
SEEN_UNSEEN_HOOK(chroot)
SEEN_UNSEEN_HOOK(mount)
SEEN_UNSEEN_HOOK(unshare)
SEEN_UNSEEN_HOOK(setmntent)
SEEN_UNSEEN_HOOK(gethostid)
SEEN_UNSEEN_HOOK(getloadavg)
SEEN_UNSEEN_HOOK(getservbyname)
SEEN_UNSEEN_HOOK(getprotobyname)
SEEN_UNSEEN_HOOK(getgrouplist)
SEEN_UNSEEN_HOOK(initgroups)
SEEN_UNSEEN_HOOK(getgrent)
SEEN_UNSEEN_HOOK(getspnam)
SEEN_UNSEEN_HOOK(getpwnam)
SEEN_UNSEEN_HOOK(getpwnam_r)
SEEN_UNSEEN_HOOK(getpwent)
SEEN_UNSEEN_HOOK(getgrnam)
SEEN_UNSEEN_HOOK(getgrnam_r)
SEEN_UNSEEN_HOOK(getgrgid)
SEEN_UNSEEN_HOOK(getgrgid_r)
SEEN_UNSEEN_HOOK(getlogin)
SEEN_UNSEEN_HOOK(getlogin_r)
SEEN_UNSEEN_HOOK(getaddrinfo)
SEEN_UNSEEN_HOOK(gethostbyname)
SEEN_UNSEEN_HOOK(sethostname)
SEEN_UNSEEN_HOOK(setdomainname)
SEEN_UNSEEN_HOOK(bind_textdomain_codeset)
