# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The sources of the checks of a request file. They are those of src/source/, which says why they
# are as they are.

# Puts together what the check at index has compiled: source and extension, or path; what it is
# about in subject, the stage, and what is to be read from the product in reads. May add to args
# and link_args.
macro(_tryall_fallback_source)
  set(source "")
  set(path "")
  set(product "")
  set(run_args "")
  set(extension c)
  if(language STREQUAL "CXX")
    set(extension cpp)
  elseif(language STREQUAL "OBJC")
    set(extension m)
  elseif(language STREQUAL "OBJCXX")
    set(extension mm)
  elseif(language STREQUAL "Fortran")
    set(extension f90)
  endif()
  _tryall_fallback_start()
  if(kind MATCHES "^(preprocesses|compiles|links|runs)$")
    _tryall_fallback_own_source()
  elseif(language STREQUAL "Fortran")
    _tryall_fallback_fortran()
  else()
    _tryall_fallback_c()
  endif()
endmacro()

# The headers, and the prefix as lines.
macro(_tryall_fallback_start)
  set(includes "")
  _tryall_fallback_length(length headers)
  set(position 0)
  while(position LESS length)
    _tryall_fallback_get(header headers ${position})
    if(language STREQUAL "Fortran")
      string(REPLACE "'" "''" header "${header}")
      string(APPEND includes "include '${header}'\n")
    else()
      string(APPEND includes "#include <${header}>\n")
    endif()
    math(EXPR position "${position} + 1")
  endwhile()
  _tryall_fallback_get(prefix prefix)
  if(NOT prefix STREQUAL "" AND NOT prefix MATCHES "\n$")
    string(APPEND prefix "\n")
  endif()
  set(start "${includes}${prefix}")
endmacro()

# The kinds whose source is the request's.
macro(_tryall_fallback_own_source)
  string(REGEX REPLACE "e?s$" "" stage "${kind}")
  if(kind STREQUAL "compiles")
    set(stage compile)
  endif()
  _tryall_fallback_get(product product)
  _tryall_fallback_words(run_args run_args)
  _tryall_fallback_get(given extension)
  if(NOT given STREQUAL "")
    set(extension "${given}")
  endif()
  _tryall_fallback_get(path file)
  if(path STREQUAL "")
    _tryall_fallback_get(source source)
    if(NOT source STREQUAL "" AND NOT source MATCHES "\n$")
      string(APPEND source "\n")
    endif()
    string(PREPEND source "${start}")
  else()
    get_filename_component(path "${path}" ABSOLUTE BASE_DIR "${base}")
  endif()
endmacro()

# The flags of a flag check; where -Wno-x is unknown nobody says so, but of -Wx they do.
macro(_tryall_fallback_flags)
  _tryall_fallback_words(flags flags)
  foreach(flag IN LISTS flags)
    if(NOT flag MATCHES "^-Wno-(attributes=|error)" AND flag MATCHES "^-Wno-(.+)$")
      set(positive "-W${CMAKE_MATCH_1}")
      if(positive MATCHES "^-W(alloc-size-larger-than|alloca-larger-than|larger-than|frame-larger-than|stack-usage|vla-larger-than)$")
        string(APPEND positive "=1000")
      endif()
      list(APPEND args "${positive}")
    endif()
  endforeach()
  list(APPEND args ${flags})
  if(kind STREQUAL "linker_flag")
    # A driver has them on both of its commands.
    set(stage link)
    list(PREPEND link_args ${flags})
  endif()
endmacro()

# C, C++ and the Objective variants.
macro(_tryall_fallback_c)
  set(ignore [==[
#if defined __GNUC__
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#ifdef __cplusplus
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#endif
#endif
]==])
  set(undeclared [==[
#if defined __clang__ && !defined __cplusplus
#pragma clang diagnostic error "-Wimplicit-function-declaration"
#endif
]==])
  set(sentinels [==[
#define TRYALL_NOT_EXPANDED tryall_expanded
#if 0
tryall_not_skipped
#endif
TRYALL_NOT_EXPANDED
]==])
  set(empty "int main(void) { return 0; }\n")
  if(kind STREQUAL "header")
    _tryall_fallback_get(subject header)
    _tryall_fallback_get(given stage)
    if(given STREQUAL "preprocess")
      set(stage preprocess)
      set(reads presence)
      set(source [==[
#ifdef __has_include
#if !__has_include(<@subject@>)
#error "the header is not there"
#endif
#else
#include <@subject@>
#endif
@sentinels@]==])
    else()
      set(source "#include <@subject@>\n@empty@")
    endif()
  elseif(kind STREQUAL "symbol")
    set(stage link)
    _tryall_fallback_get(subject symbol)
    set(unless "")
    set(end "")
    if(subject MATCHES "^[A-Za-z0-9_$]+$")
      set(unless "#ifndef ${subject}\n")
      set(end "#endif\n")
    endif()
    set(source [==[
@ignore@@unless@#if defined __SIZE_TYPE__
typedef __SIZE_TYPE__ tryall_word;
#elif defined _WIN64
typedef unsigned long long tryall_word;
#else
typedef unsigned long tryall_word;
#endif
@end@@undeclared@int main(void)
{
@unless@  volatile tryall_word tryall_address = (tryall_word)&(@subject@);
  (void)tryall_address;
@end@  return 0;
}
]==])
  elseif(kind STREQUAL "function")
    _tryall_fallback_get(subject function)
    set(called "${subject}")
    _tryall_fallback_function()
  elseif(kind STREQUAL "library")
    set(stage link)
    _tryall_fallback_get(subject library)
    _tryall_fallback_get(given function)
    if(given STREQUAL "")
      set(source "@empty@")
    else()
      set(called "${given}")
      _tryall_fallback_function()
    endif()
    if(subject MATCHES "/")
      get_filename_component(subject "${subject}" ABSOLUTE BASE_DIR "${base}")
      list(PREPEND link_args "${subject}")
    elseif(MSVC)
      list(PREPEND link_args "${subject}")
    else()
      list(PREPEND link_args "-l${subject}")
    endif()
  elseif(kind STREQUAL "type")
    _tryall_fallback_get(subject type)
    set(source [==[
@ignore@#ifdef __cplusplus
template <class tryall_class> struct tryall_of { };
#endif
int main(void)
{
  (void)sizeof(@subject@);
#ifdef __cplusplus
  (void)sizeof(tryall_of< @subject@ >);
#elif defined __GNUC__
  (void)__builtin_types_compatible_p(@subject@, int);
#else
  (void)sizeof(int (*)(int, @subject@));
#endif
  return 0;
}
]==])
  elseif(kind STREQUAL "member")
    _tryall_fallback_get(subject type)
    _tryall_fallback_get(given member)
    set(source [==[
@ignore@int main(int tryall_argc, char **tryall_argv)
{
  (void)tryall_argc;
  (void)((@subject@ *)(void *)tryall_argv)->@given@;
  return 0;
}
]==])
  elseif(kind STREQUAL "sizeof")
    _tryall_fallback_get(subject type)
    set(expression "sizeof(${subject})")
    _tryall_fallback_integer_source()
  elseif(kind STREQUAL "compute_int")
    _tryall_fallback_get(subject expression)
    set(expression "${subject}")
    _tryall_fallback_integer_source()
  elseif(kind STREQUAL "alignment")
    _tryall_fallback_get(subject type)
    set(expression "offsetof(struct tryall_struct, tryall_member)")
    _tryall_fallback_integer_source()
    string(REPLACE "#define TRYALL_VALUE" [==[
#include <stddef.h>
#if defined __GNUC__ || defined __TINYC__
struct tryall_struct { char tryall_before; __typeof__(@subject@) tryall_member; };
#else
struct tryall_struct { char tryall_before; @subject@ tryall_member; };
#endif
enum {
  tryall_is_a_type = sizeof(int (*)(@subject@)),
  tryall_is_no_old_style_parameter = sizeof(int (*)(int, @subject@))
};
#define TRYALL_VALUE]==] source "${source}")
  elseif(kind STREQUAL "define")
    set(stage preprocess)
    set(reads expansion)
    _tryall_fallback_get(subject name)
    set(source "#ifdef @subject@\ntryall_expansion_starts @subject@ tryall_expansion_ends\n#endif\n@sentinels@")
  elseif(kind STREQUAL "prototype")
    _tryall_fallback_get(subject function)
    _tryall_fallback_get(returns return_type)
    _tryall_fallback_length(length arguments)
    set(arguments "")
    set(position 0)
    while(position LESS length)
      _tryall_fallback_get(argument arguments ${position})
      if(position)
        string(APPEND arguments ", ")
      endif()
      string(APPEND arguments "${argument}")
      math(EXPR position "${position} + 1")
    endwhile()
    if(length EQUAL 0)
      set(arguments void)
    endif()
    if(language MATCHES "CXX")
      set(source "@ignore@int main(void) { @returns@ (*tryall_pointer)(@arguments@) = &@subject@; (void)tryall_pointer; return 0; }\n")
    else()
      set(source [==[
@ignore@void tryall_declared(void);
void tryall_declared(void) { (void)&@subject@; }
@returns@ (@subject@)(@arguments@);
int main(void) { tryall_declared(); return 0; }
]==])
    endif()
  elseif(kind STREQUAL "endian")
    set(reads order)
    set(source [==[
extern unsigned short tryall_big[];
unsigned short tryall_big[] = { 0x7472, 0x7961, 0x6c6c, 0x2862, 0x6967, 0x2900, 0 };
extern unsigned short tryall_little[];
unsigned short tryall_little[] = { 0x7274, 0x6179, 0x6c6c, 0x6c28, 0x7469, 0x6c74, 0x2965, 0 };
int main(int tryall_argc, char **tryall_argv)
{
  (void)tryall_argv;
  return tryall_big[tryall_argc] != tryall_little[tryall_argc];
}
]==])
  else()
    _tryall_fallback_flags()
    set(source "@empty@")
  endif()
  if(NOT kind MATCHES "^(function|library)$" OR NOT source MATCHES "@start@")
    string(PREPEND source "@start@")
  endif()
  # What is put in is not looked into again: it stands last.
  foreach(place IN ITEMS sentinels ignore unless end undeclared empty returns arguments given
      subject start)
    string(REPLACE "@${place}@" "${${place}}" source "${source}")
  endforeach()
endmacro()

# Whether the function called links.
macro(_tryall_fallback_function)
  set(stage link)
  set(stub "#if defined __stub_${called} || defined __stub___${called}
#error \"the function is a stub that always fails\"
#endif
")
  if(start MATCHES "(^|\n)[ \t]*#[ \t]*(include|import)")
    set(source "@start@#include <limits.h>
${stub}@ignore@@undeclared@static void (*volatile tryall_function)(void);
int main(void) { tryall_function = (void (*)(void))&${called}; return 0; }
")
  else()
    set(source "#define ${called} tryall_not_${called}
@start@#include <limits.h>
#undef ${called}
${stub}")
    string(APPEND source [==[
#if defined __clang__
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#elif defined __GNUC__ && __GNUC__ >= 8
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"
#endif
#ifdef __cplusplus
extern "C"
#endif
]==])
    string(APPEND source "char ${called}(void);\nint main(void) { return ${called}(); }\n")
  endif()
endmacro()

# The integer expression in letters.
macro(_tryall_fallback_integer_source)
  set(reads integer)
  set(source "@ignore@#define TRYALL_VALUE (${expression})\n")
  string(APPEND source [==[
#define TRYALL_NOT_NEGATIVE (TRYALL_VALUE > 0 || TRYALL_VALUE == 0)
#define TRYALL_DIGIT(tryall_quotient) \
  (char)('a' + (TRYALL_NOT_NEGATIVE ? (tryall_quotient) % 16 : -((tryall_quotient) % 16)))
#define TRYALL_BEYOND(tryall_quotient) ((tryall_quotient) == 0 ? 'a' : 'z')
#define TRYALL_Q0 TRYALL_VALUE
]==])
  foreach(digit RANGE 1 16)
    math(EXPR before "${digit} - 1")
    string(APPEND source "#define TRYALL_Q${digit} TRYALL_Q${before} / 16\n")
  endforeach()
  string(APPEND source [==[
enum { tryall_constant = TRYALL_NOT_NEGATIVE ? 1 : 0 };
extern char tryall_text[];
char tryall_text[] = { 't', 'r', 'y', 'a', 'l', 'l', '(',
  TRYALL_NOT_NEGATIVE ? '+' : '-', TRYALL_BEYOND(TRYALL_Q16),
]==])
  foreach(before RANGE 15)
    math(EXPR digit "15 - ${before}")
    string(APPEND source "  TRYALL_DIGIT(TRYALL_Q${digit}),\n")
  endforeach()
  string(APPEND source [==[
  ')', 0
};
int main(int tryall_argc, char **tryall_argv)
{
  (void)tryall_argv;
  return tryall_text[tryall_argc];
}
]==])
endmacro()

# Fortran, as far as CMake can ask it.
macro(_tryall_fallback_fortran)
  if(kind STREQUAL "header")
    _tryall_fallback_get(subject header)
    string(REPLACE "'" "''" given "${subject}")
    set(source "program tryall\n${prefix}${includes}include '${given}'\nend program\n")
  elseif(kind MATCHES "^(function|library)$")
    set(stage link)
    _tryall_fallback_get(subject function)
    set(source "program tryall\n${prefix}${includes}")
    if(NOT subject STREQUAL "")
      string(APPEND source "external ${subject}\ncall ${subject}()\n")
    endif()
    string(APPEND source "end program\n")
    if(kind STREQUAL "library")
      _tryall_fallback_get(subject library)
      list(PREPEND link_args "-l${subject}")
    endif()
  elseif(kind MATCHES "_flag$")
    _tryall_fallback_flags()
    set(source "program tryall\n${prefix}${includes}end program\n")
  elseif(kind STREQUAL "type")
    _tryall_fallback_get(subject type)
    set(source "module tryall_module\n${prefix}${includes}public :: tryall_question\ncontains\nsubroutine tryall_question()\nimplicit none\ntype tryall_type\n${subject} :: tryall_component\nend type\nend subroutine\nend module\n")
  else()
    _tryall_fallback_refuse("CMake by itself cannot ask this of Fortran")
  endif()
endmacro()
