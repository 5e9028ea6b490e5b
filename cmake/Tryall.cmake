# SPDX-License-Identifier: Apache-2.0 OR MIT
#[=======================================================================[.rst:
Tryall
------

Makes the compiler checks of a project run all at once.

.. command:: tryall_begin

  .. code-block:: cmake

    tryall_begin()
    check_include_file(sys/epoll.h HAVE_SYS_EPOLL_H)
    check_type_size(off_t SIZEOF_OFF_T)
    # ... CMake's own check_* commands, as many as there are
    tryall_end()

  Between these two, the ``check_*`` commands of CMake's modules are noted when they are called,
  and asked as one batch when the first result is read, or else at ``tryall_end()``. Each result
  variable then holds what CMake alone would have set, in the same cache entry, and the same lines
  are printed. ``try_compile`` and ``try_run`` are answered by tryall, too. What is not fully
  understood goes to CMake itself.

.. command:: tryall_check

  .. code-block:: cmake

    tryall_check(FILE <request.json>)

  Asks the project's compilers every check in the request, and leaves behind what CMake's own
  check modules would: cache entries of the same names, types and values. A check without an
  answer (the compiler crashed, say) fails the configure step; it is never taken for a no.

  The compilers are those of the languages that are enabled, as ``try_compile`` has them: with
  ``CMAKE_<LANG>_COMPILER_ARG1``, ``CMAKE_<LANG>_COMPILER_TARGET`` and ``CMAKE_SYSROOT``, with
  ``CMAKE_<LANG>_FLAGS`` and those of ``CMAKE_TRY_COMPILE_CONFIGURATION``, for the standard that
  ``CMAKE_<LANG>_STANDARD`` and ``CMAKE_<LANG>_EXTENSIONS`` say, and with
  ``CMAKE_EXE_LINKER_FLAGS``. A toolchain that the request itself gives goes before them.
  ``CMAKE_CROSSCOMPILING_EMULATOR`` runs programs, unless the request names an emulator. The
  configure step runs again when the request changes.

The program is looked for as ``TRYALL_EXECUTABLE``, which can be set to a path. Where it is not
installed CMake does all of this by itself, one check after the other, and says once how to get
the speed. ``TRYALL_VERIFY`` makes both ways be gone, and fails the configure step if they differ.
#]=======================================================================]

include_guard(GLOBAL)

include("${CMAKE_CURRENT_LIST_DIR}/tryall/Tryall.cmake")

# Has the checks that follow noted, and asked in batches.
function(tryall_begin)
  if(ARGC)
    message(FATAL_ERROR "tryall_begin: takes no arguments, got: ${ARGN}")
  endif()
  get_property(depth GLOBAL PROPERTY _TRYALL_DEPTH)
  math(EXPR depth "0${depth} + 1")
  set_property(GLOBAL PROPERTY _TRYALL_DEPTH ${depth})
  _tryall_start(adopted)
endfunction()

# Settles the checks since tryall_begin().
function(tryall_end)
  if(ARGC)
    message(FATAL_ERROR "tryall_end: takes no arguments, got: ${ARGN}")
  endif()
  get_property(depth GLOBAL PROPERTY _TRYALL_DEPTH)
  math(EXPR depth "0${depth} - 1")
  if(depth LESS 0)
    message(FATAL_ERROR "tryall_end: there was no tryall_begin() before it.")
  endif()
  set_property(GLOBAL PROPERTY _TRYALL_DEPTH ${depth})
  if(depth EQUAL 0)
    _tryall_stop(adopted)
  endif()
endfunction()

function(tryall_check)
  cmake_parse_arguments(PARSE_ARGV 0 _tryall "" "FILE" "")
  if(_tryall_UNPARSED_ARGUMENTS OR NOT _tryall_FILE)
    message(FATAL_ERROR "tryall_check: expected FILE <request.json>, got: ${ARGN}")
  endif()
  get_filename_component(_tryall_file "${_tryall_FILE}" ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_tryall_file}")

  _tryall_program(_tryall_found)
  if(NOT _tryall_found)
    _tryall_check_by_cmake("${_tryall_file}")
    return()
  endif()

  get_filename_component(_tryall_name "${_tryall_file}" NAME_WE)
  set(_tryall_answers "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/tryall/${_tryall_name}.cmake")
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/tryall")
  _tryall_environment(_tryall_environment)
  _tryall_emulator(_tryall_emulator "${_tryall_file}")
  message(CHECK_START "Checking ${_tryall_FILE}")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env ${_tryall_environment}
      "${TRYALL_EXECUTABLE}" check "${_tryall_file}" --format cmake --output "${_tryall_answers}"
      ${_tryall_emulator}
    RESULT_VARIABLE _tryall_status
    ERROR_VARIABLE _tryall_messages)
  # Of the statuses, 3 is told by the script itself, check by check.
  if(NOT _tryall_status MATCHES "^[013]$")
    message(CHECK_FAIL "failed")
    message(FATAL_ERROR "tryall_check: ${_tryall_FILE} (status ${_tryall_status})\n${_tryall_messages}")
  endif()
  message(CHECK_PASS "done")
  include("${_tryall_answers}")
  if(_tryall_status EQUAL 1)
    message(FATAL_ERROR "tryall_check: a required check in ${_tryall_FILE} was not answered yes.")
  endif()
endfunction()

# A list of words as a shell would read it.
function(_tryall_quote result)
  set(text "")
  foreach(word IN LISTS ARGN)
    string(REPLACE "'" "'\\''" word "${word}")
    string(APPEND text " '${word}'")
  endforeach()
  string(STRIP "${text}" text)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# The compilers of the enabled languages, as the variables by which tryall is told of them.
function(_tryall_environment result)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(environment "CPPFLAGS=" "LDFLAGS=${CMAKE_EXE_LINKER_FLAGS}")
  foreach(pair IN ITEMS C:CC:CFLAGS CXX:CXX:CXXFLAGS Fortran:FC:FFLAGS OBJC:OBJC:OBJCFLAGS
      OBJCXX:OBJCXX:OBJCXXFLAGS)
    string(REPLACE ":" ";" pair "${pair}")
    list(GET pair 0 language)
    if(language IN_LIST languages)
      list(GET pair 1 command)
      list(GET pair 2 flags)
      _tryall_command(value ${language})
      string(REPLACE ";" "\\;" value "${value}")
      list(APPEND environment "${command}=${value}")
      _tryall_flags(value ${language})
      string(REPLACE ";" "\\;" value "${value}")
      list(APPEND environment "${flags}=${value}")
    endif()
  endforeach()
  set(${result} "${environment}" PARENT_SCOPE)
endfunction()

# The compiler of a language and what CMake puts behind it before all flags.
function(_tryall_command result language)
  _tryall_quote(command "${CMAKE_${language}_COMPILER}")
  string(APPEND command " ${CMAKE_${language}_COMPILER_ARG1}")
  set(sysroot "${CMAKE_SYSROOT}")
  if(CMAKE_SYSROOT_COMPILE)
    set(sysroot "${CMAKE_SYSROOT_COMPILE}")
  endif()
  if(CMAKE_SYSROOT_LINK AND NOT CMAKE_SYSROOT_LINK STREQUAL sysroot)
    message(FATAL_ERROR "tryall_check: compiles and links in one go, and so cannot link with "
      "another CMAKE_SYSROOT_LINK than it compiles with.")
  endif()
  _tryall_option(target ${language} TARGET "${CMAKE_${language}_COMPILER_TARGET}")
  _tryall_option(toolchain ${language} EXTERNAL_TOOLCHAIN
    "${CMAKE_${language}_COMPILER_EXTERNAL_TOOLCHAIN}")
  _tryall_option(sysroot ${language} SYSROOT "${sysroot}")
  set(${result} "${command}${target}${toolchain}${sysroot}" PARENT_SCOPE)
endfunction()

# An option with its value, if the compiler has it. The name ends as the value must follow: with
# an equals sign or a blank.
function(_tryall_option result language name value)
  set(option "")
  if(value AND CMAKE_${language}_COMPILE_OPTIONS_${name})
    _tryall_quote(value "${value}")
    set(option " ${CMAKE_${language}_COMPILE_OPTIONS_${name}}${value}")
  endif()
  set(${result} "${option}" PARENT_SCOPE)
endfunction()

# The flags of a language, of the configuration that try_compile builds, and of the standard.
function(_tryall_flags result language)
  set(flags "${CMAKE_${language}_FLAGS}")
  set(configuration "${CMAKE_TRY_COMPILE_CONFIGURATION}")
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(is_multi_config AND NOT configuration)
    set(configuration Debug)
  endif()
  _tryall_policy(configuration_has_flags CMP0066)
  if(configuration AND configuration_has_flags)
    string(TOUPPER "${configuration}" configuration)
    string(APPEND flags " ${CMAKE_${language}_FLAGS_${configuration}}")
  endif()
  _tryall_policy(standard_counts CMP0067)
  if(standard_counts)
    _tryall_standard(standard ${language})
    string(APPEND flags " ${standard}")
  endif()
  set(${result} "${flags}" PARENT_SCOPE)
endfunction()

# Whether a policy of the project is NEW.
function(_tryall_policy result name)
  set(policy "")
  if(POLICY ${name})
    cmake_policy(GET ${name} policy)
  endif()
  if(policy STREQUAL "NEW")
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# The option for CMAKE_<LANG>_STANDARD and CMAKE_<LANG>_EXTENSIONS. As in CMake, a standard that
# the compiler does not have decays to the newest one behind its default.
function(_tryall_standard result language)
  set(${result} "" PARENT_SCOPE)
  set(default "${CMAKE_${language}_STANDARD_DEFAULT}")
  if(default STREQUAL "")
    return()
  endif()
  _tryall_policy(extensions_have_default CMP0128)
  set(default_extensions TRUE)
  if(extensions_have_default)
    set(default_extensions "${CMAKE_${language}_EXTENSIONS_DEFAULT}")
  endif()
  set(extensions "${default_extensions}")
  if(DEFINED CMAKE_${language}_EXTENSIONS)
    set(extensions "${CMAKE_${language}_EXTENSIONS}")
  endif()
  set(sort STANDARD)
  if(extensions)
    set(sort EXTENSION)
  endif()

  set(standard "${CMAKE_${language}_STANDARD}")
  if(standard STREQUAL "")
    if(NOT extensions_have_default)
      # Extensions may be turned on, but not off.
      if(extensions)
        _tryall_quote(option ${CMAKE_${language}_EXTENSION_COMPILE_OPTION})
        set(${result} "${option}" PARENT_SCOPE)
      endif()
      return()
    elseif((extensions AND default_extensions) OR NOT (extensions OR default_extensions))
      return()
    endif()
    set(standard "${default}")
  endif()

  set(known 90 99 11 17 23)
  if(language MATCHES "CXX")
    set(known 98 11 14 17 20 23 26)
  endif()
  list(FIND known "${default}" oldest)
  list(FIND known "${standard}" index)
  if(index LESS oldest)
    set(oldest ${index})
  endif()
  while(index GREATER_EQUAL oldest AND NOT index EQUAL -1)
    list(GET known ${index} standard)
    if(DEFINED CMAKE_${language}${standard}_${sort}_COMPILE_OPTION)
      _tryall_quote(option ${CMAKE_${language}${standard}_${sort}_COMPILE_OPTION})
      set(${result} "${option}" PARENT_SCOPE)
      return()
    endif()
    math(EXPR index "${index} - 1")
  endwhile()
endfunction()

# The arguments that tell of the emulator, unless the request names one of its own.
function(_tryall_emulator result request)
  set(${result} "" PARENT_SCOPE)
  if(NOT CMAKE_CROSSCOMPILING_EMULATOR OR NOT EXISTS "${request}")
    return()
  endif()
  file(READ "${request}" text)
  if(text MATCHES "\"emulator\"")
    return()
  endif()
  _tryall_quote(emulator ${CMAKE_CROSSCOMPILING_EMULATOR})
  string(REPLACE ";" "\\;" emulator "${emulator}")
  set(${result} --emulator "${emulator}" PARENT_SCOPE)
endfunction()
