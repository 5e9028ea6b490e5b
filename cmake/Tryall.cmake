# SPDX-License-Identifier: Apache-2.0 OR MIT
#[=======================================================================[.rst:
Tryall
------

Answers a project's compiler checks faster than CMake alone.

.. command:: tryall_begin

  .. code-block:: cmake

    tryall_begin()
    check_include_file(sys/epoll.h HAVE_SYS_EPOLL_H)
    check_type_size(off_t SIZEOF_OFF_T)
    # ... CMake's own check_* commands, any number
    tryall_end()

  Between these two, ``try_compile`` and ``try_run``, and so the ``check_*`` commands of CMake's
  modules, are answered by tryall: each when it is asked, with what CMake alone would have set. CMake
  itself runs any check that tryall does not fully understand.

.. command:: tryall_check

  .. code-block:: cmake

    tryall_check(FILE <request.json>)

  Runs every check in the request, as one batch, and sets the same cache entries as CMake's own check
  modules would, with the same names, types and values. A check without an answer (the compiler
  crashed, say) fails the configure step; it is never taken for a no.

  The compilers are those of the languages that are enabled, as in ``try_compile``: with
  ``CMAKE_<LANG>_COMPILER_ARG1``, ``CMAKE_<LANG>_COMPILER_TARGET`` and ``CMAKE_SYSROOT``, with
  ``CMAKE_<LANG>_FLAGS`` and those of ``CMAKE_TRY_COMPILE_CONFIGURATION``, for the standard that
  ``CMAKE_<LANG>_STANDARD`` and ``CMAKE_<LANG>_EXTENSIONS`` say, and with
  ``CMAKE_EXE_LINKER_FLAGS``. A toolchain that the request itself gives takes precedence.
  ``CMAKE_CROSSCOMPILING_EMULATOR`` runs programs, unless the request names an emulator. The
  configure step runs again when the request changes.

The program is found through ``TRYALL_EXECUTABLE`` or ``PATH``. Without it, CMake runs the checks
one by one and says once how to speed them up. With ``TRYALL_VERIFY``, CMake runs every check, too,
and the configure step fails if an answer differs.
#]=======================================================================]

include_guard(GLOBAL)

include("${CMAKE_CURRENT_LIST_DIR}/tryall/Door.cmake")
# Use the same policies as for the other parts.
cmake_policy(PUSH)
cmake_policy(VERSION 3.10)
include("${CMAKE_CURRENT_LIST_DIR}/tryall/Fallback.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tryall/Verify.cmake")
cmake_policy(POP)
# This file must run under the policies of the including project.
include("${CMAKE_CURRENT_LIST_DIR}/tryall/Toolchain.cmake")

# From here on, tryall answers the checks.
function(tryall_begin)
  if(ARGC)
    message(FATAL_ERROR "tryall_begin: takes no arguments, got: ${ARGN}")
  endif()
  set_property(GLOBAL APPEND PROPERTY _TRYALL_BEGUN begun)
  _tryall_open(adopted)
endfunction()

# From here on, CMake answers them again, if this is the end of the first tryall_begin().
function(tryall_end)
  if(ARGC)
    message(FATAL_ERROR "tryall_end: takes no arguments, got: ${ARGN}")
  endif()
  get_property(_tryall_begun GLOBAL PROPERTY _TRYALL_BEGUN)
  if("${_tryall_begun}" STREQUAL "")
    message(FATAL_ERROR "tryall_end: there was no tryall_begin() before it.")
  endif()
  list(POP_FRONT _tryall_begun)
  set_property(GLOBAL PROPERTY _TRYALL_BEGUN "${_tryall_begun}")
  _tryall_close(adopted)
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
    _tryall_check_by_cmake("${_tryall_file}" "${_tryall_FILE}")
    foreach(_tryall_name IN LISTS _tryall_codes)
      set("${_tryall_name}" "${${_tryall_name}}" PARENT_SCOPE)
    endforeach()
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
      "${_tryall_found}" check "${_tryall_file}" --format cmake --output "${_tryall_answers}"
      ${_tryall_emulator}
    RESULT_VARIABLE _tryall_status
    ERROR_VARIABLE _tryall_messages)
  # The script reports status 3 itself, per check.
  if(NOT _tryall_status MATCHES "^[013]$")
    message(CHECK_FAIL "failed")
    message(FATAL_ERROR "tryall_check: ${_tryall_FILE} (status ${_tryall_status})\n${_tryall_messages}")
  endif()
  message(CHECK_PASS "done")
  include("${_tryall_answers}")
  # Pass on what CheckTypeSize sets in its caller's scope.
  file(STRINGS "${_tryall_answers}" _tryall_codes REGEX "^set\\([^ ]+_CODE \"(#define |/\\* #undef )")
  foreach(_tryall_code IN LISTS _tryall_codes)
    if(_tryall_code MATCHES "^set\\(([^ ]+_CODE) " AND NOT DEFINED "CACHE{${CMAKE_MATCH_1}}")
      set("${CMAKE_MATCH_1}" "${${CMAKE_MATCH_1}}" PARENT_SCOPE)
    endif()
  endforeach()
  if(TRYALL_VERIFY)
    _tryall_verify_request("${_tryall_file}" "${_tryall_FILE}" "${_tryall_answers}")
  endif()
  if(_tryall_status EQUAL 1)
    message(FATAL_ERROR "tryall_check: a required check in ${_tryall_FILE} was not answered yes.")
  endif()
endfunction()
