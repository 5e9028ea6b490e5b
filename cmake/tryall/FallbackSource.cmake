# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The sources of the checks of a request file. src/source/ says why they are as they are; here stands only
# what an answer depends on.

# Puts together what the check at _tryall_index has compiled: _tryall_text and _tryall_extension, or
# _tryall_path; _tryall_stage; and what is to be read from the product in _tryall_reads. May add to
# _tryall_args and _tryall_link_args.
macro(_tryall_source)
  set(_tryall_path "")
  set(_tryall_value "")
  set(_tryall_extensions C=c CXX=cpp OBJC=m OBJCXX=mm Fortran=f90)
  list(FILTER _tryall_extensions INCLUDE REGEX "^${_tryall_language}=")
  string(REGEX REPLACE ".*=" "" _tryall_extension "${_tryall_extensions}")
  _tryall_list(_tryall_headers headers)
  if(_tryall_language STREQUAL "Fortran")
    list(TRANSFORM _tryall_headers REPLACE "(.+)" "include '\\1'")
  else()
    list(TRANSFORM _tryall_headers REPLACE "(.+)" "#include <\\1>")
  endif()
  _tryall_get(_tryall_prefix prefix)
  list(APPEND _tryall_headers "${_tryall_prefix}")
  string(REPLACE ";" "\n" _tryall_start "${_tryall_headers}")
  string(APPEND _tryall_start "\n")
  if(_tryall_kind MATCHES "^(preprocesses|compiles|links|runs)$")
    _tryall_source_of_request()
  elseif(_tryall_kind MATCHES "_flag$")
    _tryall_source_of_flags()
  elseif(_tryall_language STREQUAL "Fortran")
    _tryall_source_in_fortran()
  else()
    _tryall_source_in_c()
  endif()
endmacro()

# The kinds whose source is the request's.
macro(_tryall_source_of_request)
  string(REGEX REPLACE "(e)?s$" "" _tryall_stage "${_tryall_kind}")
  if(_tryall_kind STREQUAL "compiles")
    set(_tryall_stage compile)
  endif()
  _tryall_get(_tryall_given extension)
  if(NOT _tryall_given STREQUAL "")
    set(_tryall_extension "${_tryall_given}")
  endif()
  _tryall_get(_tryall_text source)
  _tryall_get(_tryall_path file)
  string(PREPEND _tryall_text "${_tryall_start}")
  string(APPEND _tryall_text "\n")
  if(NOT _tryall_path STREQUAL "")
    get_filename_component(_tryall_path "${_tryall_path}" ABSOLUTE BASE_DIR "${_tryall_base}")
  endif()
endmacro()

# Flags. Where -Wno-x is unknown nobody says so, but of -Wx they do.
macro(_tryall_source_of_flags)
  set(_tryall_text "${_tryall_start}int main(void) { return 0; }\n")
  if(_tryall_language STREQUAL "Fortran")
    set(_tryall_text "program tryall\n${_tryall_start}end program\n")
  endif()
  _tryall_words(_tryall_flags flags)
  foreach(_tryall_flag IN LISTS _tryall_flags)
    if(NOT _tryall_flag MATCHES "^-Wno-(attributes=|error)" AND _tryall_flag MATCHES "^-Wno-(.+)$")
      list(APPEND _tryall_args "-W${CMAKE_MATCH_1}")
      if(CMAKE_MATCH_1 MATCHES "(larger-than|^stack-usage)$")
        string(APPEND _tryall_args "=1000")
      endif()
    endif()
  endforeach()
  list(APPEND _tryall_args ${_tryall_flags})
  if(_tryall_kind STREQUAL "linker_flag")
    # A driver has them on both of its commands.
    set(_tryall_stage link)
    list(PREPEND _tryall_link_args ${_tryall_flags})
  endif()
endmacro()

# C, C++ and the Objective variants.
macro(_tryall_source_in_c)
  set(_tryall_ignore "#if defined __GNUC__
#pragma GCC diagnostic ignored \"-Wdeprecated-declarations\"
#ifdef __cplusplus
#pragma GCC diagnostic ignored \"-Winvalid-offsetof\"
#pragma GCC diagnostic ignored \"-Wold-style-cast\"
#endif
#endif
#if defined __clang__ && !defined __cplusplus
#pragma clang diagnostic error \"-Wimplicit-function-declaration\"
#endif
")
  foreach(_tryall_field IN ITEMS header stage symbol function library type member expression name return_type)
    _tryall_get(_tryall_the_${_tryall_field} ${_tryall_field})
  endforeach()
  set(_tryall_text "${_tryall_start}${_tryall_ignore}")
  set(_tryall_main "int main(void) { return 0; }\n")
  if(_tryall_kind STREQUAL "header")
    set(_tryall_main "#include <${_tryall_the_header}>\n${_tryall_main}")
    set(_tryall_text "${_tryall_start}")
    if(_tryall_the_stage STREQUAL "preprocess")
      set(_tryall_stage preprocess)
      set(_tryall_reads expansion)
      set(_tryall_main "#if !defined __has_include
#include <${_tryall_the_header}>
#elif !__has_include(<${_tryall_the_header}>)
#error no
#endif
#define tryall_header tryall_starts
tryall_header tryall_ends\n")
    endif()
  elseif(_tryall_kind STREQUAL "symbol")
    set(_tryall_stage link)
    set(_tryall_main "int main(int tryall_argc, char **tryall_argv)\n{\n  (void)tryall_argv;
  return ((int *)(void *)(&${_tryall_the_symbol}))[tryall_argc];\n}\n")
    if(_tryall_the_symbol MATCHES "^[A-Za-z0-9_$]+$")
      string(PREPEND _tryall_main "#ifdef ${_tryall_the_symbol}\nint main(void) { return 0; }\n#else\n")
      string(APPEND _tryall_main "#endif\n")
    endif()
  elseif(_tryall_kind MATCHES "^(function|library)$")
    set(_tryall_stage link)
    if(NOT _tryall_the_function STREQUAL "")
      _tryall_source_of_function()
    endif()
    if(_tryall_kind STREQUAL "library")
      _tryall_source_library()
    endif()
  elseif(_tryall_kind STREQUAL "type")
    set(_tryall_main "#ifdef __cplusplus
template <class tryall_class> struct tryall_of { };
#endif
int main(void)
{
  (void)sizeof(${_tryall_the_type});
#ifdef __cplusplus
  (void)sizeof(tryall_of< ${_tryall_the_type} >);
#else
  (void)sizeof(int (*)(int, ${_tryall_the_type}));
#endif
  return 0;
}\n")
  elseif(_tryall_kind STREQUAL "member")
    set(_tryall_main "int main(int tryall_argc, char **tryall_argv)\n{\n  (void)tryall_argc;
  (void)((${_tryall_the_type} *)(void *)tryall_argv)->${_tryall_the_member};\n  return 0;\n}\n")
  elseif(_tryall_kind STREQUAL "sizeof")
    _tryall_source_of_integer("sizeof(${_tryall_the_type})")
  elseif(_tryall_kind STREQUAL "compute_int")
    _tryall_source_of_integer("${_tryall_the_expression}")
  elseif(_tryall_kind STREQUAL "alignment")
    string(APPEND _tryall_text "#include <stddef.h>
struct tryall_struct { char tryall_before; ${_tryall_the_type} tryall_member; };
enum { tryall_is_a_type = sizeof(int (*)(int, ${_tryall_the_type})) };\n")
    _tryall_source_of_integer("offsetof(struct tryall_struct, tryall_member)")
  elseif(_tryall_kind STREQUAL "define")
    set(_tryall_stage preprocess)
    set(_tryall_reads expansion)
    set(_tryall_main "#define TRYALL_STARTS tryall_starts\n#define TRYALL_UNDEFINED tryall_undefined
#ifdef ${_tryall_the_name}\nTRYALL_STARTS ${_tryall_the_name} tryall_ends\n#else\nTRYALL_UNDEFINED\n#endif\n")
  elseif(_tryall_kind STREQUAL "prototype")
    _tryall_list(_tryall_types arguments)
    string(REPLACE ";" ", " _tryall_types "${_tryall_types}")
    if(_tryall_types STREQUAL "")
      set(_tryall_types void)
    endif()
    set(_tryall_main "int main(void) { (void)&${_tryall_the_function}; return 0; }
${_tryall_the_return_type} (${_tryall_the_function})(${_tryall_types});\n")
    if(_tryall_language MATCHES "CXX")
      set(_tryall_main "int main(void) { ${_tryall_the_return_type} (*tryall_pointer)(${_tryall_types}) = \
&${_tryall_the_function}; (void)tryall_pointer; return 0; }\n")
    endif()
  elseif(_tryall_kind STREQUAL "endian")
    set(_tryall_reads value)
    set(_tryall_main "extern unsigned short tryall_big[];
unsigned short tryall_big[] = { 0x7472, 0x7961, 0x6c6c, 0x2862, 0x6967, 0x2900, 0 };
extern unsigned short tryall_little[];
unsigned short tryall_little[] = { 0x7274, 0x6179, 0x6c6c, 0x6c28, 0x7469, 0x6c74, 0x2965, 0 };
int main(int tryall_argc, char **tryall_argv)
{
  (void)tryall_argv;
  return tryall_big[tryall_argc] != tryall_little[tryall_argc];
}\n")
  endif()
  string(APPEND _tryall_text "${_tryall_main}")
endmacro()

# Whether a function links: with its own prototype if there are headers, else whatever that is.
macro(_tryall_source_of_function)
  set(_tryall_stub "#include <limits.h>
#if defined __stub_${_tryall_the_function} || defined __stub___${_tryall_the_function}
#error \"the function is a stub that always fails\"
#endif\n")
  if(_tryall_start MATCHES "(^|\n)[ \t]*#[ \t]*(include|import)")
    set(_tryall_main "${_tryall_stub}static void (*volatile tryall_function)(void);
int main(void) { tryall_function = (void (*)(void))&${_tryall_the_function}; return 0; }\n")
  else()
    string(PREPEND _tryall_text "#define ${_tryall_the_function} tryall_not_the_function\n")
    set(_tryall_main "#undef ${_tryall_the_function}
${_tryall_stub}#if defined __clang__
#pragma clang diagnostic ignored \"-Wincompatible-library-redeclaration\"
#elif defined __GNUC__ && __GNUC__ >= 8
#pragma GCC diagnostic ignored \"-Wbuiltin-declaration-mismatch\"
#endif
#ifdef __cplusplus
extern \"C\"
#endif
char ${_tryall_the_function}(void);\nint main(void) { return ${_tryall_the_function}(); }\n")
  endif()
endmacro()

# The library of a check as an argument of the link.
macro(_tryall_source_library)
  _tryall_get(_tryall_library library)
  if(_tryall_library MATCHES "/")
    get_filename_component(_tryall_library "${_tryall_library}" ABSOLUTE BASE_DIR "${_tryall_base}")
  elseif(NOT MSVC)
    string(PREPEND _tryall_library "-l")
  endif()
  list(PREPEND _tryall_link_args "${_tryall_library}")
endmacro()

# An integer constant expression as a text of a sign and twenty digits.
macro(_tryall_source_of_integer _tryall_expression)
  set(_tryall_reads value)
  set(_tryall_main "#define TRYALL_VALUE (${_tryall_expression})
#define TRYALL_NOT_NEGATIVE (TRYALL_VALUE > 0 || TRYALL_VALUE == 0)
#define TRYALL_DIGIT(tryall_quotient) \\
  (char)('0' + (TRYALL_NOT_NEGATIVE ? (tryall_quotient) % 10 : -((tryall_quotient) % 10)))
#define TRYALL_Q0 TRYALL_VALUE\n")
  set(_tryall_digits "")
  foreach(_tryall_digit RANGE 1 20)
    math(EXPR _tryall_before "${_tryall_digit} - 1")
    string(APPEND _tryall_main "#define TRYALL_Q${_tryall_digit} TRYALL_Q${_tryall_before} / 10\n")
    string(PREPEND _tryall_digits "  TRYALL_DIGIT(TRYALL_Q${_tryall_before}),\n")
  endforeach()
  string(APPEND _tryall_main "enum { tryall_constant = TRYALL_NOT_NEGATIVE ? 1 : 0 };
extern char tryall_text[];
char tryall_text[] = { 't', 'r', 'y', 'a', 'l', 'l', '(',
  (TRYALL_Q20) != 0 ? '?' : TRYALL_NOT_NEGATIVE ? '+' : '-',\n${_tryall_digits}  ')', 0 };
int main(int tryall_argc, char **tryall_argv)
{
  (void)tryall_argv;
  return tryall_text[tryall_argc];
}\n")
endmacro()

# Fortran, as far as CMake can ask it.
macro(_tryall_source_in_fortran)
  foreach(_tryall_field IN ITEMS header function library type)
    _tryall_get(_tryall_the_${_tryall_field} ${_tryall_field})
  endforeach()
  set(_tryall_text "program tryall\n${_tryall_start}")
  if(_tryall_kind STREQUAL "header")
    string(APPEND _tryall_text "include '${_tryall_the_header}'\n")
  elseif(_tryall_kind MATCHES "^(function|library)$")
    set(_tryall_stage link)
    if(NOT _tryall_the_function STREQUAL "")
      string(APPEND _tryall_text "external ${_tryall_the_function}\ncall ${_tryall_the_function}()\n")
    endif()
    if(_tryall_kind STREQUAL "library")
      _tryall_source_library()
    endif()
  elseif(_tryall_kind STREQUAL "type")
    string(APPEND _tryall_text "implicit none\ntype tryall_type\n${_tryall_the_type} :: tryall_component\nend type\n")
  else()
    _tryall_refuse("CMake by itself cannot ask this of Fortran")
  endif()
  string(APPEND _tryall_text "end program\n")
endmacro()
