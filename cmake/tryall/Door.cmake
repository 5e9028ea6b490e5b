# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The functions in the place of try_compile and try_run, and the session that answers them.
#
# A function hands the whole call to the session as one text: the arguments, and the policies, variables
# and environment variables that decide. The session replies with a script, which the function
# includes. An empty script, or none, leaves the call to CMake. State is in global properties:
#
#   _TRYALL_PROGRAM      the program
#   _TRYALL_OPEN         who has opened the door, a list: "dropin", or "adopted" for each tryall_begin()
#   _TRYALL_SESSION      the directory of the session, or nothing if there is none any more
#   _TRYALL_NUMBER       how many calls it has been asked
#   _TRYALL_OF_LANGUAGE, _TRYALL_OF_ALL, _TRYALL_ENVIRONMENT   the names of what decides
#   _TRYALL_OF_NOTHING   the names of what CMake reads, too
#
# All names, and those of all local variables, start with _tryall_ or _TRYALL_.

include_guard(GLOBAL)

# The functions below run under these policies, wherever they are called from. What came after CMake
# 3.10 stays unset, so that Policies.cmake can set what its caller has set.
cmake_policy(PUSH)
cmake_policy(VERSION 3.10)

include("${CMAKE_CURRENT_LIST_DIR}/Policies.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/Program.cmake")

# Opens the door, if the program is there and this CMake can be helped.
function(_tryall_open _tryall_who)
  _tryall_can_help(_tryall_can)
  if(NOT _tryall_can)
    return()
  endif()
  get_property(_tryall_already GLOBAL PROPERTY _TRYALL_OPEN)
  if(NOT _tryall_who STREQUAL "dropin" OR NOT "dropin" IN_LIST _tryall_already)
    set_property(GLOBAL APPEND PROPERTY _TRYALL_OPEN ${_tryall_who})
  endif()
  _tryall_replace_commands()
endfunction()

# Closes it for one that has opened it.
function(_tryall_close _tryall_who)
  get_property(_tryall_open GLOBAL PROPERTY _TRYALL_OPEN)
  list(FIND _tryall_open "${_tryall_who}" _tryall_index)
  if(NOT _tryall_index EQUAL -1)
    list(REMOVE_AT _tryall_open ${_tryall_index})
    set_property(GLOBAL PROPERTY _TRYALL_OPEN "${_tryall_open}")
  endif()
endfunction()

# Whether there is a program, and a CMake that it can help. Says once if not.
function(_tryall_can_help _tryall_result)
  set(${_tryall_result} FALSE PARENT_SCOPE)
  if(NOT DEFINED CMAKE_HOST_SYSTEM_NAME AND EXISTS "/proc/self/exe")
    # The first project() has not found out yet.
    set(CMAKE_HOST_SYSTEM_NAME Linux)
  endif()
  if(CMAKE_VERSION VERSION_LESS 3.20 OR NOT CMAKE_HOST_SYSTEM_NAME STREQUAL "Linux")
    return()
  endif()
  if(NOT "$CACHE{CMAKE_GENERATOR}" MATCHES "^(Ninja|Ninja Multi-Config|Unix Makefiles)$")
    _tryall_tell_once("tryall: the generator $CACHE{CMAKE_GENERATOR} is left to CMake itself")
    return()
  endif()
  _tryall_program(_tryall_found)
  if(_tryall_found)
    set_property(GLOBAL PROPERTY _TRYALL_PROGRAM "${_tryall_found}")
    set(${_tryall_result} TRUE PARENT_SCOPE)
  endif()
endfunction()

# Says something, if nothing was said yet.
function(_tryall_tell_once _tryall_text)
  get_property(_tryall_told GLOBAL PROPERTY _TRYALL_TOLD)
  if(NOT _tryall_told)
    set_property(GLOBAL PROPERTY _TRYALL_TOLD TRUE)
    message(STATUS "${_tryall_text}")
  endif()
endfunction()

# Puts the functions in the place of the commands. Each is there twice, so that CMake's own command is
# __try_compile even if a project puts a function of its own in that place: then _try_compile, which
# such a function calls, is ours.
function(_tryall_replace_commands)
  if(COMMAND __try_compile)
    return()
  endif()
  set(_tryall_gets "")
  set(_tryall_policies "")
  # Those that try_compile asks for, in CMake 3.20 to 4.4.
  foreach(_tryall_policy IN ITEMS 0056 0065 0066 0067 0083 0104 0126 0128 0137 0155 0157 0181 0210 0214)
    if(POLICY CMP${_tryall_policy})
      string(APPEND _tryall_gets
        "  cmake_policy(GET CMP${_tryall_policy} _tryall_${_tryall_policy} PARENT_SCOPE)\n")
      list(APPEND _tryall_policies "${_tryall_policy}=\${_tryall_${_tryall_policy}}")
    endif()
  endforeach()
  file(READ "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/Call.cmake.in" _tryall_text)
  foreach(_tryall_command IN ITEMS try_compile try_run)
    set(_tryall_names ${_tryall_command} _${_tryall_command})
    if(COMMAND _${_tryall_command})
      # Somebody has a function of their own, which calls this.
      set(_tryall_names _${_tryall_command})
    endif()
    foreach(_tryall_name IN LISTS _tryall_names)
      string(CONFIGURE "${_tryall_text}" _tryall_code @ONLY)
      cmake_language(EVAL CODE "${_tryall_code}")
    endforeach()
  endforeach()
endfunction()

# The directory of the session, which is started if there was none; nothing if there can be none.
function(_tryall_session _tryall_result)
  set(${_tryall_result} "" PARENT_SCOPE)
  get_property(_tryall_open GLOBAL PROPERTY _TRYALL_OPEN)
  if(_tryall_open STREQUAL "")
    return()
  endif()
  if(NOT "${CMAKE_TRY_COMPILE_CONFIGURATION}${CMAKE_LINKER_TYPE}" MATCHES "^[A-Za-z0-9_./+-]*$")
    # No variable that depends on these could be named.
    return()
  endif()
  get_property(_tryall_is_set GLOBAL PROPERTY _TRYALL_SESSION SET)
  if(NOT _tryall_is_set)
    _tryall_start_session()
  endif()
  get_property(_tryall_directory GLOBAL PROPERTY _TRYALL_SESSION)
  if(NOT _tryall_directory STREQUAL "" AND NOT EXISTS "${_tryall_directory}/names.cmake")
    _tryall_give_up("its session has ended")
    return()
  endif()
  set(${_tryall_result} "${_tryall_directory}" PARENT_SCOPE)
endfunction()

# Starts the session.
function(_tryall_start_session)
  get_property(_tryall_program GLOBAL PROPERTY _TRYALL_PROGRAM)
  set(_tryall_directory "$CACHE{_TRYALL_SCOUT}")
  if(_tryall_directory)
    # This CMake is the scout of another one, and has a place in the session of that.
    set(_tryall_status 0)
  else()
    _tryall_call_session()
  endif()
  set(_tryall_included NOTFOUND)
  if(_tryall_status EQUAL 0)
    # It may end at any moment.
    set(_tryall_said "its session has ended")
    include("${_tryall_directory}/names.cmake" OPTIONAL RESULT_VARIABLE _tryall_included)
  endif()
  if(NOT _tryall_included)
    set_property(GLOBAL PROPERTY _TRYALL_SESSION "")
    _tryall_warn("${_tryall_said}")
    return()
  endif()
  set_property(GLOBAL PROPERTY _TRYALL_SESSION "${_tryall_directory}")
  set_property(GLOBAL PROPERTY _TRYALL_NUMBER 0)
  get_property(_tryall_names GLOBAL PROPERTY _TRYALL_OF_NOTHING)
  if(CMAKE_VERSION VERSION_LESS 4)
    # Later, to read these is deprecated.
    list(APPEND _tryall_names CMAKE_SUPPRESS_DEVELOPER_WARNINGS CMAKE_WARN_DEPRECATED)
  endif()
  foreach(_tryall_name IN LISTS _tryall_names)
    set(_tryall_value "${${_tryall_name}}")
  endforeach()
  # A project may have changed CMAKE_SOURCE_DIR.
  # With an id of its own, it takes none of those that CMake counts.
  cmake_language(DEFER DIRECTORY "$CACHE{CMAKE_HOME_DIRECTORY}" ID tryall_summary CALL _tryall_finish)
endfunction()

# Starts the process of the session.
macro(_tryall_call_session)
  # A project may have changed CMAKE_BINARY_DIR, and before the first configure step has ended the cache
  # does not have it.
  get_property(_tryall_place DIRECTORY "$CACHE{CMAKE_HOME_DIRECTORY}" PROPERTY BINARY_DIR)
  execute_process(
    COMMAND "${_tryall_program}" session start "${CMAKE_COMMAND}" "${CMAKE_ROOT}" "${CMAKE_VERSION}"
      "${_tryall_place}/CMakeFiles"
    RESULT_VARIABLE _tryall_status
    OUTPUT_VARIABLE _tryall_directory
    ERROR_VARIABLE _tryall_said
    OUTPUT_STRIP_TRAILING_WHITESPACE)
endmacro()

# Warns that CMake goes on by itself.
function(_tryall_warn _tryall_why)
  message(WARNING "tryall cannot answer checks (${_tryall_why}); CMake runs them itself.")
endfunction()

# Gives up the session: it has ended, or cannot be waited for.
function(_tryall_give_up _tryall_why)
  get_property(_tryall_directory GLOBAL PROPERTY _TRYALL_SESSION)
  set_property(GLOBAL PROPERTY _TRYALL_SESSION "")
  file(REMOVE_RECURSE "${_tryall_directory}")
  _tryall_warn("${_tryall_why}")
endfunction()

# Writes the next text for the session and sets its number. Each text is asked under a number of its
# own, and only the session can let its turn come.
function(_tryall_write _tryall_directory _tryall_text)
  get_property(_tryall_number GLOBAL PROPERTY _TRYALL_NUMBER)
  math(EXPR _tryall_number "${_tryall_number} + 1")
  set_property(GLOBAL PROPERTY _TRYALL_NUMBER ${_tryall_number})
  string(ASCII 30 _tryall_end)
  file(WRITE "${_tryall_directory}/ask.${_tryall_number}" "${_tryall_text}.${_tryall_end}")
  set(_tryall_number ${_tryall_number} PARENT_SCOPE)
endfunction()

# Waits until the session has replied, or has died.
function(_tryall_wait _tryall_directory _tryall_number)
  if("$CACHE{_TRYALL_SCOUT}" STREQUAL "")
    file(LOCK "${_tryall_directory}/turn.${_tryall_number}" GUARD FUNCTION
      RESULT_VARIABLE _tryall_held)
  else()
    # The only one of these commands that reads to the end of a pipe.
    file(MD5 "${_tryall_directory}/turn.${_tryall_number}" _tryall_nothing)
  endif()
  if(NOT EXISTS "${_tryall_directory}/reply.${_tryall_number}")
    _tryall_give_up("its session has ended")
  endif()
endfunction()

# All variables that decide, in the form in which the session reads them (see src/session/ask.rs). The
# function that puts them together is made for each set of languages and each configuration: a loop
# would take longer than all the rest.
function(_tryall_surroundings _tryall_result)
  get_property(_tryall_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  get_property(_tryall_version GLOBAL PROPERTY _TRYALL_ENVIRONMENT_VERSION)
  set(_tryall_name "_tryall_surroundings_of_${_tryall_languages}_${_tryall_version}\
_${CMAKE_TRY_COMPILE_CONFIGURATION}_${CMAKE_LINKER_TYPE}")
  if(NOT COMMAND "${_tryall_name}")
    _tryall_define_surroundings("${_tryall_name}")
  endif()
  cmake_language(CALL "${_tryall_name}" _tryall_text)
  foreach(_tryall_variable IN LISTS CMAKE_TRY_COMPILE_PLATFORM_VARIABLES)
    string(ASCII 30 _tryall_end)
    string(APPEND _tryall_text "V${_tryall_variable}=${${_tryall_variable}}${_tryall_end}")
  endforeach()
  set(${_tryall_result} "${_tryall_text}" PARENT_SCOPE)
endfunction()

# Makes such a function.
function(_tryall_define_surroundings _tryall_name)
  string(TOUPPER "${CMAKE_TRY_COMPILE_CONFIGURATION}" _tryall_configuration)
  if(_tryall_configuration STREQUAL "")
    set(_tryall_configuration DEBUG)
  endif()
  get_property(_tryall_all GLOBAL PROPERTY _TRYALL_OF_ALL)
  get_property(_tryall_of_language GLOBAL PROPERTY _TRYALL_OF_LANGUAGE)
  string(REPLACE "<CONFIG>" "${_tryall_configuration}" _tryall_of_language "${_tryall_of_language}")
  string(REPLACE "<TYPE>" "${CMAKE_LINKER_TYPE}" _tryall_of_language "${_tryall_of_language}")
  foreach(_tryall_language IN LISTS _tryall_languages)
    string(REPLACE "<LANG>" "${_tryall_language}" _tryall_names "${_tryall_of_language}")
    list(APPEND _tryall_all ${_tryall_names})
  endforeach()
  string(ASCII 30 _tryall_end)
  set(_tryall_code "")
  foreach(_tryall_variable IN LISTS _tryall_all)
    set(_tryall_value "\${${_tryall_variable}}")
    if(_tryall_variable MATCHES "^CMAKE_(GENERATOR|MAKE_PROGRAM)$")
      # The project's variable of that name does not count.
      set(_tryall_value "\$CACHE{${_tryall_variable}}")
    endif()
    string(APPEND _tryall_code "V${_tryall_variable}=${_tryall_value}${_tryall_end}")
  endforeach()
  get_property(_tryall_names GLOBAL PROPERTY _TRYALL_ENVIRONMENT)
  foreach(_tryall_variable IN LISTS _tryall_names)
    string(APPEND _tryall_code "E${_tryall_variable}=\$ENV{${_tryall_variable}}${_tryall_end}")
  endforeach()
  # Here it counts whether it is set at all.
  cmake_language(EVAL CODE "function([[${_tryall_name}]] _tryall_result)
    set(_tryall_text \"${_tryall_code}\")
    if(DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
      string(APPEND _tryall_text \"VCMAKE_POSITION_INDEPENDENT_CODE_IS_SET=1${_tryall_end}\")
    endif()
    set(\${_tryall_result} \"\${_tryall_text}\" PARENT_SCOPE)
  endfunction()")
endfunction()

# From now on, these environment variables are handed over, too.
function(_tryall_ask_for_variables)
  set_property(GLOBAL APPEND PROPERTY _TRYALL_ENVIRONMENT ${ARGN})
  get_property(_tryall_version GLOBAL PROPERTY _TRYALL_ENVIRONMENT_VERSION)
  math(EXPR _tryall_version "0${_tryall_version} + 1")
  set_property(GLOBAL PROPERTY _TRYALL_ENVIRONMENT_VERSION ${_tryall_version})
endfunction()

# Writes the whole environment into a file, and sets a record with its name.
macro(_tryall_write_environment _tryall_result)
  get_property(_tryall_program GLOBAL PROPERTY _TRYALL_PROGRAM)
  get_property(_tryall_number GLOBAL PROPERTY _TRYALL_NUMBER)
  execute_process(COMMAND "${_tryall_program}" session environment
    "${_tryall_directory}/environment.${_tryall_number}")
  set(${_tryall_result} "F${_tryall_directory}/environment.${_tryall_number}${_tryall_end}")
endmacro()

# Runs what a try_run has built: as CMake would, in a directory, with more arguments as in a shell.
# Sets _tryall_ran, _tryall_stdout and _tryall_stderr. Then removes the directory in which it was built;
# the script is there, too, because the session may end meanwhile.
function(_tryall_run _tryall_mode _tryall_scratch _tryall_place _tryall_more)
  get_property(_tryall_program GLOBAL PROPERTY _TRYALL_PROGRAM)
  set(_tryall_script "${_tryall_scratch}/ran.cmake")
  file(MAKE_DIRECTORY "${_tryall_place}")
  execute_process(
    COMMAND "${_tryall_program}" session run "${_tryall_script}" ${_tryall_mode} "${_tryall_more}" ${ARGN}
    WORKING_DIRECTORY "${_tryall_place}"
    RESULT_VARIABLE _tryall_ran)
  set(_tryall_stdout "")
  set(_tryall_stderr "")
  set(_tryall_failure "")
  include("${_tryall_script}" OPTIONAL RESULT_VARIABLE _tryall_included)
  # Never anything else.
  if(_tryall_scratch MATCHES "/CMakeFiles/CMakeScratch/TryCompile-[0-9]+$")
    file(REMOVE_RECURSE "${_tryall_scratch}")
  endif()
  if(NOT _tryall_included OR NOT _tryall_failure STREQUAL "")
    # It was not started.
    set(_tryall_ran "${_tryall_failure}")
  endif()
  if(NOT _tryall_ran MATCHES "^-?[0-9]+$")
    if(_tryall_mode STREQUAL "merged")
      string(APPEND _tryall_stdout "${_tryall_ran}")
    else()
      string(APPEND _tryall_stderr "${_tryall_ran}")
    endif()
    set(_tryall_ran FAILED_TO_RUN)
  endif()
  set(_tryall_ran "${_tryall_ran}" PARENT_SCOPE)
  set(_tryall_stdout "${_tryall_stdout}" PARENT_SCOPE)
  set(_tryall_stderr "${_tryall_stderr}" PARENT_SCOPE)
endfunction()

# Makes Ninja show its commands during the call in _tryall_code. Before 3.26, CMake did not ask it to; so
# a script that does stands in its place, in the cache, where alone try_compile looks for it.
macro(_tryall_show_commands _tryall_path)
  set(_tryall_script "${_tryall_path}")
  set(_tryall_ninja "$CACHE{CMAKE_MAKE_PROGRAM}")
  get_property(_tryall_type CACHE CMAKE_MAKE_PROGRAM PROPERTY TYPE)
  get_property(_tryall_help CACHE CMAKE_MAKE_PROGRAM PROPERTY HELPSTRING)
  string(PREPEND _tryall_code
    [[set(CMAKE_MAKE_PROGRAM "${_tryall_script}" CACHE "${_tryall_type}" "${_tryall_help}" FORCE)
]])
  string(APPEND _tryall_code [[

set(CMAKE_MAKE_PROGRAM "${_tryall_ninja}" CACHE "${_tryall_type}" "${_tryall_help}" FORCE)
]])
endmacro()

# Makes the output in a variable one of a Ninja that did not show its commands.
function(_tryall_hide_commands _tryall_variable _tryall_script _tryall_ninja)
  string(REGEX REPLACE "\\[([0-9]+/[0-9]+)\\] [^\n]*" "[\\1] Building"
    _tryall_text "${${_tryall_variable}}")
  string(REPLACE "${_tryall_script}" "${_tryall_ninja}" _tryall_text "${_tryall_text}")
  set(${_tryall_variable} "${_tryall_text}" PARENT_SCOPE)
endfunction()

# TRYALL_VERIFY: has CMake answer a call that the session has answered, and fails the configure step if
# the answers differ. Outputs are not compared: they tell of other directories.
#
# Reads _tryall_code and _tryall_under; _tryall_compiled and _tryall_ran are the session's answer.
function(_tryall_verify _tryall_command _tryall_first _tryall_second)
  set(_tryall_names "${_tryall_first}")
  if(_tryall_command STREQUAL "try_run")
    set(_tryall_names "${_tryall_second}" "${_tryall_first}")
  endif()
  set(_tryall_ours ${_tryall_compiled} ${_tryall_ran})
  # The call sets the same cache entries; they keep what the session has answered.
  set(_tryall_stocks "")
  foreach(_tryall_name IN LISTS _tryall_names)
    if(DEFINED "CACHE{${_tryall_name}}")
      get_property(_tryall_help CACHE "${_tryall_name}" PROPERTY HELPSTRING)
      set("_tryall_help_${_tryall_name}" "${_tryall_help}")
      set("_tryall_kept_${_tryall_name}" "$CACHE{${_tryall_name}}")
      unset("${_tryall_name}" CACHE)
    endif()
    unset("${_tryall_name}")
  endforeach()
  cmake_language(CALL ${_tryall_under})
  foreach(_tryall_name IN LISTS _tryall_names)
    if(DEFINED "${_tryall_name}")
      list(APPEND _tryall_stocks "${${_tryall_name}}")
    endif()
    if(DEFINED "_tryall_kept_${_tryall_name}")
      set("${_tryall_name}" "${_tryall_kept_${_tryall_name}}" CACHE INTERNAL
        "${_tryall_help_${_tryall_name}}" FORCE)
    endif()
  endforeach()
  set_property(GLOBAL APPEND_STRING PROPERTY _TRYALL_VERIFIED "+1")
  if(NOT "${_tryall_ours}" STREQUAL "${_tryall_stocks}")
    message(SEND_ERROR "tryall: the answers to ${_tryall_names} differ. CMake says ${_tryall_stocks}, "
      "tryall says ${_tryall_ours}.\n${_tryall_shown}")
  endif()
endfunction()

# All that is known of the targets among some words, and of those that they bring: one record for
# each.
function(_tryall_targets _tryall_result)
  string(ASCII 30 _tryall_end)
  set(_tryall_text "")
  set(_tryall_known "")
  set(_tryall_words ${ARGN})
  while(NOT "${_tryall_words}" STREQUAL "")
    list(POP_FRONT _tryall_words _tryall_word)
    if(TARGET "${_tryall_word}" AND NOT _tryall_word IN_LIST _tryall_known)
      list(APPEND _tryall_known "${_tryall_word}")
      _tryall_target("${_tryall_word}" _tryall_record _tryall_brings)
      string(APPEND _tryall_text "T${_tryall_record}${_tryall_end}")
      list(APPEND _tryall_words ${_tryall_brings})
    endif()
  endwhile()
  set(${_tryall_result} "${_tryall_text}" PARENT_SCOPE)
endfunction()

# What try_compile exports of a target, and the names in it.
function(_tryall_target _tryall_target _tryall_result _tryall_names)
  string(TOUPPER "${CMAKE_TRY_COMPILE_CONFIGURATION}" _tryall_configuration)
  set(_tryall_record "${_tryall_target}")
  set(_tryall_found "")
  foreach(_tryall_property IN ITEMS TYPE IMPORTED ALIASED_TARGET SYSTEM
      INTERFACE_AUTOUIC_OPTIONS INTERFACE_COMPILE_DEFINITIONS INTERFACE_COMPILE_FEATURES
      INTERFACE_COMPILE_OPTIONS INTERFACE_CXX_MODULE_SETS INTERFACE_HEADER_SETS
      INTERFACE_INCLUDE_DIRECTORIES INTERFACE_LINK_DEPENDS INTERFACE_LINK_DIRECTORIES
      INTERFACE_LINK_LIBRARIES INTERFACE_LINK_LIBRARIES_DIRECT
      INTERFACE_LINK_LIBRARIES_DIRECT_EXCLUDE INTERFACE_LINK_OPTIONS
      INTERFACE_POSITION_INDEPENDENT_CODE INTERFACE_PRECOMPILE_HEADERS INTERFACE_SOURCES
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES INTERFACE_COMPATIBLE INTERFACE_VERSION
      COMPATIBLE_INTERFACE_BOOL COMPATIBLE_INTERFACE_NUMBER_MAX COMPATIBLE_INTERFACE_NUMBER_MIN
      COMPATIBLE_INTERFACE_STRING
      IMPORTED_CONFIGURATIONS IMPORTED_GLOBAL IMPORTED_IMPLIB IMPORTED_LIBNAME IMPORTED_LOCATION
      IMPORTED_LINK_DEPENDENT_LIBRARIES IMPORTED_LINK_INTERFACE_LANGUAGES
      IMPORTED_LINK_INTERFACE_LIBRARIES IMPORTED_LINK_INTERFACE_MULTIPLICITY IMPORTED_NO_SONAME
      IMPORTED_NO_SYSTEM IMPORTED_OBJECTS IMPORTED_SONAME MAP_IMPORTED_CONFIG_DEBUG
      MAP_IMPORTED_CONFIG_${_tryall_configuration} LINK_INTERFACE_LIBRARIES)
    get_target_property(_tryall_value "${_tryall_target}" ${_tryall_property})
    if(_tryall_value OR NOT _tryall_value MATCHES "-NOTFOUND$")
      string(APPEND _tryall_record "|${_tryall_property}=${_tryall_value}")
      list(APPEND _tryall_found ${_tryall_value})
    endif()
  endforeach()
  get_target_property(_tryall_configurations "${_tryall_target}" IMPORTED_CONFIGURATIONS)
  foreach(_tryall_configuration IN LISTS _tryall_configurations)
    foreach(_tryall_property IN ITEMS LOCATION IMPLIB LIBNAME SONAME NO_SONAME
        LINK_DEPENDENT_LIBRARIES LINK_INTERFACE_LANGUAGES LINK_INTERFACE_LIBRARIES
        LINK_INTERFACE_MULTIPLICITY)
      set(_tryall_property "IMPORTED_${_tryall_property}_${_tryall_configuration}")
      get_target_property(_tryall_value "${_tryall_target}" ${_tryall_property})
      string(APPEND _tryall_record "|${_tryall_property}=${_tryall_value}")
      list(APPEND _tryall_found ${_tryall_value})
    endforeach()
  endforeach()
  # Names also stand within generator expressions.
  string(REGEX REPLACE "[$<>:,()]+" ";" _tryall_parts "${_tryall_found}")
  string(REPLACE ";" ";" _tryall_parts "${_tryall_parts}")
  string(REGEX MATCHALL "[^;$<>,]+::[^;$<>,]+" _tryall_scoped "${_tryall_found}")
  set(${_tryall_result} "${_tryall_record}" PARENT_SCOPE)
  set(${_tryall_names} ${_tryall_found} ${_tryall_parts} ${_tryall_scoped} PARENT_SCOPE)
endfunction()

# The end of the configure step, except for calls that the project has deferred to it
# (cmake_language(DEFER)) and that may ask more.
function(_tryall_finish)
  cmake_language(DEFER ID tryall_summary CALL _tryall_finish_at_last)
endfunction()

# Says what was done.
function(_tryall_finish_at_last)
  # Messages of the project may be indented.
  set(CMAKE_MESSAGE_INDENT "")
  set(CMAKE_MESSAGE_CONTEXT "")
  get_property(_tryall_verified GLOBAL PROPERTY _TRYALL_VERIFIED)
  if(_tryall_verified)
    math(EXPR _tryall_verified "0${_tryall_verified}")
    message(STATUS "tryall: ${_tryall_verified} answers compared with CMake's")
  endif()
  get_property(_tryall_directory GLOBAL PROPERTY _TRYALL_SESSION)
  if(_tryall_directory STREQUAL "")
    return()
  endif()
  if(NOT "$CACHE{_TRYALL_SCOUT}" STREQUAL "")
    message(FATAL_ERROR "The scout has seen everything.")
  endif()
  string(ASCII 30 _tryall_end)
  _tryall_write("${_tryall_directory}" "1${_tryall_end}summary${_tryall_end}0${_tryall_end}")
  _tryall_wait("${_tryall_directory}" ${_tryall_number})
  include("${_tryall_directory}/reply.${_tryall_number}" OPTIONAL)
  # What comes after this is left to CMake.
  set_property(GLOBAL PROPERTY _TRYALL_SESSION "")
  file(REMOVE_RECURSE "${_tryall_directory}")
endfunction()

cmake_policy(POP)
