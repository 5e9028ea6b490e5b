/* Hooks of functions that choose languages. The C library reads the files of locales and messages
 * itself: here, only their names are noted. src/deps/locale.rs works out where it looks for them. */

#include "seen.h"

#include <locale.h>
#include <stdlib.h>

static bool seen_is_c(const char *locale)
{
	return seen_equal(locale, "C") || seen_equal(locale, "POSIX");
}

/* Variables that make the C library look elsewhere, or convert to another character set. */
static const char *const seen_redirections[] = {"LOCPATH", "GCONV_PATH", "OUTPUT_CHARSET"};

enum { SEEN_REDIRECTIONS = sizeof seen_redirections / sizeof *seen_redirections };

/* A locale that is asked for, whether it is there or not. */
static void seen_locale(const char *name)
{
	if (!*name || seen_is_c(name) || !seen_is_on())
		return;
	seen_expect_loads();
	seen_note_name(SEEN_LOCALE, name);
	const char *languages = seen_variable("LANGUAGE");
	if (languages && *languages)
		seen_note_name(SEEN_LANGUAGES, languages);
	for (int i = 0; i < SEEN_REDIRECTIONS; i++) {
		const char *value = seen_variable(seen_redirections[i]);
		if (value && *value)
			seen_note_name(SEEN_UNSEEN, seen_redirections[i]);
	}
}

/* The locale of a call. If it is empty, the environment chooses one for each category. */
static void seen_choose(const char *locale)
{
	if (*locale) {
		seen_locale(locale);
		return;
	}
	const char *all = seen_variable("LC_ALL");
	if (all && *all) {
		seen_locale(all);
		return;
	}
	extern char **environ;
	for (char **at = environ; at && *at; at++) {
		if (!seen_starts(*at, "LC_") && !seen_starts(*at, "LANG="))
			continue;
		const char *value = *at;
		while (*value && *value != '=')
			value++;
		if (*value)
			seen_locale(value + 1);
	}
}

HOOK char *setlocale(int category, const char *locale)
{
	if (locale)
		seen_choose(locale);
	return REAL(setlocale)(category, locale);
}

#define SEEN_NEWLOCALE(name)                                                                       \
	HOOK locale_t name(int categories, const char *locale, locale_t base)                          \
	{                                                                                              \
		if (locale)                                                                                \
			seen_choose(locale);                                                                   \
		return REAL(name)(categories, locale, base);                                               \
	}
locale_t __newlocale(int categories, const char *locale, locale_t base);
SEEN_NEWLOCALE(newlocale)
SEEN_NEWLOCALE(__newlocale)

/* A program may choose the languages of its messages after the locale. */

static void seen_set(const char *name, const char *value)
{
	if (!*value)
		return;
	if (seen_equal(name, "LANGUAGE"))
		seen_note_name(SEEN_LANGUAGES, value);
	for (int i = 0; i < SEEN_REDIRECTIONS; i++)
		if (seen_equal(name, seen_redirections[i]))
			seen_note_name(SEEN_UNSEEN, name);
}

HOOK int setenv(const char *name, const char *value, int replace)
{
	seen_set(name, value);
	return REAL(setenv)(name, value, replace);
}

HOOK int putenv(char *text)
{
	char name[16];
	size_t length = 0;
	while (length + 1 < sizeof name && text[length] && text[length] != '=') {
		name[length] = text[length];
		length++;
	}
	name[length] = '\0';
	if (text[length] == '=')
		seen_set(name, text + length + 1);
	return REAL(putenv)(text);
}

/* Messages. Each domain has a file for each language. */

static void seen_domain(const char *domain, const char *dir)
{
	char both[SEEN_PATH_MAX];
	if (!domain || !*domain || !seen_is_on())
		return;
	int kept = errno;
	size_t length = seen_length(domain), more = seen_length(dir);
	if (length + 1 + more > sizeof both) {
		seen_note_name(SEEN_UNSEEN, "bindtextdomain");
	} else {
		seen_copy(both, domain, length + 1);
		seen_copy(both + length + 1, dir, more);
		seen_note(SEEN_DOMAIN, both, length + 1 + more, 0, NULL);
	}
	errno = kept;
}

/* Messages of other categories than LC_MESSAGES are in other directories. */
static void seen_category(int category)
{
	if (category != LC_MESSAGES)
		seen_note_name(SEEN_UNSEEN, "dcgettext");
}

char *bindtextdomain(const char *domain, const char *dir);
char *textdomain(const char *domain);
char *dgettext(const char *domain, const char *text);
char *__dgettext(const char *domain, const char *text);
char *dcgettext(const char *domain, const char *text, int category);
char *__dcgettext(const char *domain, const char *text, int category);
char *dngettext(const char *domain, const char *one, const char *more, unsigned long count);
char *dcngettext(const char *domain, const char *one, const char *more, unsigned long count,
                 int category);

HOOK char *bindtextdomain(const char *domain, const char *dir)
{
	if (dir)
		seen_domain(domain, dir);
	return REAL(bindtextdomain)(domain, dir);
}

HOOK char *textdomain(const char *domain)
{
	seen_domain(domain, "");
	return REAL(textdomain)(domain);
}

#define SEEN_DGETTEXT(name)                                                                        \
	HOOK char *name(const char *domain, const char *text)                                          \
	{                                                                                              \
		seen_domain(domain, "");                                                                   \
		return REAL(name)(domain, text);                                                           \
	}
SEEN_DGETTEXT(dgettext)
SEEN_DGETTEXT(__dgettext)

#define SEEN_DCGETTEXT(name)                                                                       \
	HOOK char *name(const char *domain, const char *text, int category)                            \
	{                                                                                              \
		seen_domain(domain, "");                                                                   \
		seen_category(category);                                                                   \
		return REAL(name)(domain, text, category);                                                 \
	}
SEEN_DCGETTEXT(dcgettext)
SEEN_DCGETTEXT(__dcgettext)

HOOK char *dngettext(const char *domain, const char *one, const char *more, unsigned long count)
{
	seen_domain(domain, "");
	return REAL(dngettext)(domain, one, more, count);
}

HOOK char *dcngettext(const char *domain, const char *one, const char *more, unsigned long count,
                      int category)
{
	seen_domain(domain, "");
	seen_category(category);
	return REAL(dcngettext)(domain, one, more, count, category);
}
