/* Finds the functions that the hooks replace.
 *
 * dlsym(RTLD_NEXT) would do, but up to glibc 2.33 it is in a library of its own, which every process
 * would have to load. Looking the name up in the hash tables of the loaded objects takes a page. */

#include "seen.h"

#include <elf.h>
#include <link.h>

/* A name that is looked for. */
struct seen_search {
	const char *name;
	uint32_t hash;
	bool passed_us;
	void *found;
};

static uint32_t seen_gnu_hash(const char *name)
{
	uint32_t hash = 5381;
	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* Whether an address belongs to an object. */
static bool seen_holds(const struct dl_phdr_info *object, const void *address)
{
	uintptr_t offset = (uintptr_t)address - object->dlpi_addr;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		if (part->p_type == PT_LOAD && offset - part->p_vaddr < part->p_memsz)
			return true;
	}
	return false;
}

/* The tables of an object's symbols. */
struct seen_tables {
	const ElfW(Sym) *symbols;
	const char *names;
	const uint32_t *hash;
	const uint16_t *versions;
};

static struct seen_tables seen_read_tables(const struct dl_phdr_info *object)
{
	struct seen_tables tables = {0};
	const ElfW(Dyn) *entry = NULL;
	for (int i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			entry = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	for (; entry && entry->d_tag != DT_NULL; entry++) {
		/* The loader has turned the addresses into absolute ones, but not on every machine. */
		uintptr_t address = entry->d_un.d_ptr;
		if (address < object->dlpi_addr)
			address += object->dlpi_addr;
		switch (entry->d_tag) {
		case DT_SYMTAB: tables.symbols = (const void *)address; break;
		case DT_STRTAB: tables.names = (const void *)address; break;
		case DT_GNU_HASH: tables.hash = (const void *)address; break;
		case DT_VERSYM: tables.versions = (const void *)address; break;
		default: break;
		}
	}
	return tables;
}

/* Looks a name up in an object: its default version, else any. */
static void *seen_look_up(const struct dl_phdr_info *object, const char *name, uint32_t hash)
{
	struct seen_tables tables = seen_read_tables(object);
	if (!tables.hash || !tables.symbols || !tables.names)
		return NULL;
	uint32_t buckets = tables.hash[0], first = tables.hash[1];
	uint32_t words = tables.hash[2], shift = tables.hash[3];
	const ElfW(Addr) *bloom = (const void *)&tables.hash[4];
	const uint32_t *bucket = (const void *)&bloom[words];
	const uint32_t *chain = &bucket[buckets];
	const uint32_t bits = 8 * sizeof *bloom;
	ElfW(Addr) word = bloom[(hash / bits) % words];
	if (!buckets || !(word >> (hash % bits) & word >> ((hash >> shift) % bits) & 1))
		return NULL;
	void *hidden = NULL;
	uint32_t index = bucket[hash % buckets];
	if (index < first)
		return NULL;
	for (;; index++) {
		uint32_t other = chain[index - first];
		const ElfW(Sym) *symbol = &tables.symbols[index];
		if ((other | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
		    (symbol->st_info & 15) == STT_FUNC && seen_equal(tables.names + symbol->st_name, name)) {
			void *address = (void *)(object->dlpi_addr + symbol->st_value);
			if (!tables.versions || !(tables.versions[index] & 0x8000))
				return address;
			hidden = address;
		}
		if (other & 1)
			return hidden;
	}
}

static int seen_search_object(struct dl_phdr_info *object, size_t size, void *data)
{
	(void)size;
	struct seen_search *search = data;
	if (!search->passed_us) {
		search->passed_us = seen_holds(object, (const void *)&seen_search_object);
		return 0;
	}
	search->found = seen_look_up(object, search->name, search->hash);
	return search->found != NULL;
}

/* The first function of this name in an object that was loaded after this library, or null. */
void *seen_find(const char *name)
{
	struct seen_search search = {name, seen_gnu_hash(name), false, NULL};
	dl_iterate_phdr(seen_search_object, &search);
	return search.found;
}

static int seen_find_ours(struct dl_phdr_info *object, size_t size, void *data)
{
	(void)size;
	return seen_holds(object, (const void *)&seen_find_ours) ? (seen_holds(object, data) ? 1 : 2) : 0;
}

/* Whether an address belongs to this library. */
bool seen_is_ours(const void *address)
{
	return dl_iterate_phdr(seen_find_ours, (void *)(uintptr_t)address) == 1;
}
