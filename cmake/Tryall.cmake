# SPDX-License-Identifier: Apache-2.0 OR MIT
#[=======================================================================[.rst:
Tryall
------

Answers a file of compiler checks, all at once.

.. command:: tryall_check

  .. code-block:: cmake

    tryall_check(FILE <request.json>)

  Asks the project's compilers every check in the request, and leaves behind what CMake's own
  check modules would: cache entries of the same names, types and values. A check without an
  answer (the compiler crashed, say) fails the configure step; it is never taken for a no.

  The compilers are those of the languages that are enabled, with ``CMAKE_<LANG>_FLAGS`` and
  ``CMAKE_EXE_LINKER_FLAGS``, as ``try_compile`` has them. A toolchain that the request itself
  gives goes before them. The configure step runs again when the request changes.

The program is looked for as ``TRYALL_EXECUTABLE``, which can be set to a path.
#]=======================================================================]

include_guard(GLOBAL)

function(tryall_check)
  cmake_parse_arguments(PARSE_ARGV 0 _tryall "" "FILE" "")
  if(_tryall_UNPARSED_ARGUMENTS OR NOT _tryall_FILE)
    message(FATAL_ERROR "tryall_check: expected FILE <request.json>, got: ${ARGN}")
  endif()
  get_filename_component(_tryall_file "${_tryall_FILE}" ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_tryall_file}")

  find_program(TRYALL_EXECUTABLE tryall DOC "The tryall program, which answers compiler checks")
  if(NOT TRYALL_EXECUTABLE)
    message(FATAL_ERROR
      "tryall_check needs the program tryall.\n"
      "Install it with 'cargo install tryall', or set TRYALL_EXECUTABLE to its path.")
  endif()

  get_filename_component(_tryall_name "${_tryall_file}" NAME_WE)
  set(_tryall_answers "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/tryall/${_tryall_name}.cmake")
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/tryall")
  _tryall_environment(_tryall_environment)
  message(CHECK_START "Checking ${_tryall_FILE}")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env ${_tryall_environment}
      "${TRYALL_EXECUTABLE}" check "${_tryall_file}" --format cmake --output "${_tryall_answers}"
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
      # Quoted, because tryall splits the command as a shell would.
      list(APPEND environment "${command}='${CMAKE_${language}_COMPILER}'")
      list(APPEND environment "${flags}=${CMAKE_${language}_FLAGS}")
    endif()
  endforeach()
  set(${result} "${environment}" PARENT_SCOPE)
endfunction()
