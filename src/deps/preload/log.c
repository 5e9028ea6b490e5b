/* The notes in shared memory. */

#include "seen.h"

#include <sys/mman.h>

/* The layout of the log; src/deps/log.rs has the same. The reader sets the fields up to `own`. */
#define SEEN_MAGIC 0x31304e4545535254u
#define SEEN_SIZE ((size_t)8 << 20)
#define SEEN_SLOTS 4096

struct seen_log {
	uint64_t magic;
	uint64_t used;     /* where the next record begins */
	uint32_t expected; /* programs that were to start */
	uint32_t arrived;  /* programs that started with this library */
	uint32_t full;     /* a record did not fit */
	uint32_t reserved;
	char own[8192 - 32];        /* the command's own directories, NUL after each, then an empty one */
	uint64_t noted[SEEN_SLOTS]; /* hashes of records, so that each is written once */
};

struct seen_record {
	uint32_t size; /* of the whole record, a multiple of 8 */
	uint32_t kind; /* written last: 0 if the record is incomplete */
	int32_t error;
	uint32_t mode;
	uint64_t device, inode, bytes;
	int64_t modified, changed;
	uint32_t modified_ns, changed_ns;
	uint32_t length; /* of the text that follows */
	uint32_t image;
};

static struct seen_log *seen_log;
static uint32_t seen_number;
static int seen_begun;

extern char **environ;
const char *gnu_get_libc_version(void) __attribute__((weak));

const char *seen_variable(const char *name)
{
	size_t length = seen_length(name);
	for (char **at = environ; at && *at; at++)
		if (seen_starts(*at, name) && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

/* Maps the log into this process and counts it. */
static bool seen_map(void)
{
	/* Another C library may load this one too, but looks elsewhere for its own files. The program
	 * then counts as one that was not seen. */
	const char *path = gnu_get_libc_version ? seen_variable("TRYALL_SEEN") : NULL;
	if (!path)
		return false;
	long file = seen_call(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0);
	if (file < 0)
		return false;
	/* A process that outlives the program that watches it may find another file here. */
	struct stat status;
	if (seen_call(SYS_fstat, file, (long)&status, 0, 0) < 0 || status.st_size != SEEN_SIZE) {
		seen_call(SYS_close, file, 0, 0, 0);
		return false;
	}
	void *map = mmap(NULL, SEEN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)file, 0);
	seen_call(SYS_close, file, 0, 0, 0);
	if (map == MAP_FAILED)
		return false;
	struct seen_log *log = map;
	if (log->magic != SEEN_MAGIC) {
		munmap(map, SEEN_SIZE);
		return false;
	}
	seen_number = __atomic_add_fetch(&log->arrived, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&seen_log, log, __ATOMIC_RELEASE);
	return true;
}

/* Whether notes are taken. The first call, which may come before any constructor, introduces this
 * program. */
bool seen_is_on(void)
{
	if (__builtin_expect(!__atomic_load_n(&seen_begun, __ATOMIC_RELAXED), 0)) {
		if (!__atomic_exchange_n(&seen_begun, 1, __ATOMIC_ACQ_REL)) {
			int kept = errno;
			if (seen_map())
				seen_begin();
			errno = kept;
		}
	}
	return __atomic_load_n(&seen_log, __ATOMIC_RELAXED) != NULL;
}

/* glibc passes the arguments of main to constructors. */
__attribute__((constructor)) static void seen_construct(int count, char **words)
{
	if (seen_is_on())
		seen_scan_options(count, words);
}

/* Counts programs that will start, or, with -1, one that did not. */
void seen_expect(int images)
{
	if (seen_is_on())
		__atomic_fetch_add(&seen_log->expected, (uint32_t)images, __ATOMIC_RELAXED);
}

/* Whether the path leaves a directory through "..". */
static bool seen_climbs(const char *path, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++)
		if (path[i] == '/' && path[i + 1] == '.' && path[i + 2] == '.' &&
		    (i + 3 == length || path[i + 3] == '/'))
			return true;
	return false;
}

/* Whether a path is in one of the command's own directories. */
bool seen_is_own(const char *path, size_t length)
{
	for (const char *own = seen_log->own; *own; own += seen_length(own) + 1) {
		size_t dir = seen_length(own);
		if (seen_starts(path, own) && (path[dir] == '/' || path[dir] == '\0'))
			return !seen_climbs(path + dir, length - dir);
	}
	return false;
}

static uint64_t seen_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t seen_hash(uint64_t hash, const char *text, size_t length)
{
	uint64_t word;
	for (; length >= 8; text += 8, length -= 8) {
		__builtin_memcpy(&word, text, 8);
		hash = seen_mix(hash, word);
	}
	word = length;
	for (size_t i = 0; i < length; i++)
		word = word << 8 | (unsigned char)text[i];
	return seen_mix(seen_mix(hash, word), length);
}

/* The hash of all that a record says. */
static uint64_t seen_hash_of(const struct seen_record *record, const char *text)
{
	uint64_t hash = seen_mix(record->kind, (uint32_t)record->error | (uint64_t)record->mode << 32);
	hash = seen_mix(seen_mix(hash, record->device), record->inode);
	hash = seen_mix(seen_mix(hash, record->bytes), (uint64_t)record->modified);
	hash = seen_mix(seen_mix(hash, (uint64_t)record->changed), record->modified_ns);
	hash = seen_mix(seen_mix(hash, record->changed_ns), record->image);
	hash = seen_hash(hash, text, record->length);
	return hash | 1;
}

/* The slot with a hash, or the one where it belongs, or null if there is no space left. */
static uint64_t *seen_slot(uint64_t hash)
{
	for (uint32_t i = 0; i < 64; i++) {
		uint64_t *slot = &seen_log->noted[(hash / 2 + i) % SEEN_SLOTS];
		uint64_t value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
		if (value == hash || value == 0)
			return slot;
	}
	return NULL;
}

static void seen_remember(uint64_t hash)
{
	/* Whether another process is faster does not matter: then a record is there twice. */
	uint64_t *slot = seen_slot(hash), none = 0;
	if (slot)
		__atomic_compare_exchange_n(slot, &none, hash, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static bool seen_knows(uint64_t hash)
{
	uint64_t *slot = seen_slot(hash);
	return slot && __atomic_load_n(slot, __ATOMIC_ACQUIRE) == hash;
}

static uint64_t seen_made(const char *path, size_t length)
{
	return seen_hash(SEEN_CREATED, path, length) | 1;
}

/* Whether the command itself made the file. */
bool seen_is_made(const char *path, size_t length)
{
	return seen_knows(seen_made(path, length));
}

/* Fields that say something about what was found. The same as in src/os/unix/look.rs: only regular
 * files, links and listed directories have contents. */
static void seen_fill(struct seen_record *record, const struct stat *found)
{
	record->mode = found->st_mode;
	record->device = found->st_dev;
	record->inode = found->st_ino;
	if (S_ISREG(found->st_mode) || S_ISLNK(found->st_mode) || record->kind == SEEN_LIST) {
		record->bytes = (uint64_t)found->st_size;
		record->modified = found->st_mtim.tv_sec;
		record->modified_ns = (uint32_t)found->st_mtim.tv_nsec;
		record->changed = found->st_ctim.tv_sec;
		record->changed_ns = (uint32_t)found->st_ctim.tv_nsec;
	}
}

/* Appends a record, unless the same is there. */
void seen_note(enum seen_kind kind, const char *text, size_t length, int error,
               const struct stat *found)
{
	struct seen_record record = {.kind = kind, .error = error, .length = (uint32_t)length};
	/* Libraries belong to the program that loads them, and compilers may ask for the time. Everything
	 * else is the command's. */
	if (kind == SEEN_IMAGE || kind == SEEN_MAPPED || kind == SEEN_LIBRARIES || kind == SEEN_MOMENT)
		record.image = seen_number;
	if (found)
		seen_fill(&record, found);
	uint64_t hash = seen_hash_of(&record, text);
	if (seen_knows(hash))
		return;
	record.size = (uint32_t)((sizeof record + length + 7) & ~(size_t)7);
	uint64_t at = __atomic_fetch_add(&seen_log->used, record.size, __ATOMIC_RELAXED);
	if (at + record.size > SEEN_SIZE) {
		__atomic_store_n(&seen_log->full, 1, __ATOMIC_RELAXED);
		return;
	}
	struct seen_record *into = (void *)((char *)seen_log + at);
	__atomic_store_n(&into->size, record.size, __ATOMIC_RELAXED);
	record.kind = 0;
	__builtin_memcpy((char *)into + 4, (char *)&record + 4, sizeof record - 4);
	seen_copy((char *)(into + 1), text, length);
	__atomic_store_n(&into->kind, (uint32_t)kind, __ATOMIC_RELEASE);
	seen_remember(hash);
	if (kind == SEEN_CREATED)
		seen_remember(seen_made(text, length));
}

void seen_note_name(enum seen_kind kind, const char *text)
{
	if (!seen_is_on())
		return;
	int kept = errno;
	seen_note(kind, text, seen_length(text), 0, NULL);
	errno = kept;
}
