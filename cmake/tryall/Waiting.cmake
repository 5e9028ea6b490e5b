# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Checks that wait for their answer have a placeholder in the cache. Here is what keeps it from
# being taken for an answer by what sees no watch: by those who read the cache past the variables,
# and by the next run of CMake.

# Whether the check of _tryall_note_check may wait, in may_wait: not where something reads its
# variables in the cache, past the variables, and not without a way to keep placeholders from the next
# run. If that is there already, it is KEPT.
function(_tryall_may_wait)
  set(may_wait FALSE PARENT_SCOPE)
  get_property(reads_cache GLOBAL PROPERTY _TRYALL_READS_CACHE)
  if(reads_cache)
    if(NOT reads_cache STREQUAL "SOME")
      return()
    endif()
    foreach(variable IN LISTS variables)
      get_property(reads_this GLOBAL PROPERTY "_TRYALL_READS_CACHE_${variable}")
      if(reads_this)
        return()
      endif()
    endforeach()
  endif()
  if(EXISTS "${CMAKE_BINARY_DIR}/PreLoad.cmake")
    file(READ "${CMAKE_BINARY_DIR}/PreLoad.cmake" text LIMIT 100)
    if(text MATCHES "^# Written by tryall")
      set(may_wait KEPT PARENT_SCOPE)
    endif()
  else()
    set(may_wait TRUE PARENT_SCOPE)
  endif()
endfunction()

# A configure step that fails runs no more commands, but CMake writes the cache all the same, with
# the placeholders in it. Whatever is configured next, with tryall or without, CMake first reads
# the cache and then, if it is there, the file PreLoad.cmake of the build directory. So there is
# one as long as checks wait.
function(_tryall_keep_from_next_run)
  set(file "${CMAKE_BINARY_DIR}/PreLoad.cmake")
  if(NOT EXISTS "${file}")
    file(WRITE "${file}" [==[
# Written by tryall: forgets the checks that waited for an answer when the configure step failed.
get_cmake_property(names CACHE_VARIABLES)
foreach(name IN LISTS names)
  get_property(value CACHE "${name}" PROPERTY VALUE)
  if("${value}" MATCHES "^TRYALL_PENDING_[0-9]+$")
    unset("${name}" CACHE)
  endif()
endforeach()
# Unless the CMake that has written this still runs, and may yet fail.
set(_tryall_held "")
if(IS_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}/CMakeFiles/tryall")
  # Not until the end of this file: there CMake 3.25 crashes.
  file(LOCK "${CMAKE_CURRENT_LIST_DIR}/CMakeFiles/tryall" DIRECTORY GUARD PROCESS TIMEOUT 0
    RESULT_VARIABLE _tryall_held)
  if("${_tryall_held}" STREQUAL "0")
    file(LOCK "${CMAKE_CURRENT_LIST_DIR}/CMakeFiles/tryall" DIRECTORY RELEASE)
  endif()
endif()
if(NOT "${_tryall_held}" MATCHES "Timeout")
  file(REMOVE "${CMAKE_CURRENT_LIST_FILE}")
endif()
unset(_tryall_held)
]==])
  endif()
endfunction()

# No check waits any more.
function(_tryall_forget_waiting)
  set(file "${CMAKE_BINARY_DIR}/PreLoad.cmake")
  if(EXISTS "${file}")
    file(READ "${file}" text LIMIT 100)
    if(text MATCHES "^# Written by tryall")
      file(REMOVE "${file}")
    endif()
  endif()
endfunction()

# Has every list file looked into before it runs, and now those that are running.
function(_tryall_read_list_files)
  get_property(is_begun GLOBAL PROPERTY _TRYALL_READS_CACHE SET)
  if(is_begun)
    return()
  endif()
  # FALSE, SOME of the entries, or ALL that stand in some variable.
  set_property(GLOBAL PROPERTY _TRYALL_READS_CACHE FALSE)
  get_property(files DIRECTORY PROPERTY LISTFILE_STACK)
  foreach(file IN LISTS files)
    _tryall_read_list_file("${file}")
  endforeach()
  # CMake sets it behind CMAKE_CURRENT_LIST_FILE, on which there can be no watch.
  variable_watch(CMAKE_CURRENT_LIST_DIR _tryall_list_file_begins)
endfunction()

# Its arguments are the variable and the access.
function(_tryall_list_file_begins)
  get_property(is_known GLOBAL PROPERTY "_TRYALL_READ_${CMAKE_CURRENT_LIST_FILE}")
  if(NOT is_known AND ARGV1 STREQUAL "MODIFIED_ACCESS")
    _tryall_read_list_file("${CMAKE_CURRENT_LIST_FILE}")
  endif()
endfunction()

# A cache entry that a file reads past the variable is never waited for; if the name stands in a
# variable, nothing waits from then on. CMake's own files read none that a check sets.
function(_tryall_read_list_file file)
  get_property(is_known GLOBAL PROPERTY "_TRYALL_READ_${file}" SET)
  if(is_known)
    return()
  endif()
  set_property(GLOBAL PROPERTY "_TRYALL_READ_${file}" TRUE)
  string(FIND "${file}" "${CMAKE_ROOT}/" place)
  if(place EQUAL 0 OR NOT EXISTS "${file}")
    return()
  endif()
  string(FIND "${file}" "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/" place)
  if(place EQUAL 0)
    return()
  endif()
  file(READ "${file}" text)
  set(space "[ \t\r\n]")
  string(REGEX MATCHALL "[$]CACHE{[^}]*" reads "${text}")
  string(REGEX MATCHALL
    "(^|[^A-Za-z_])[Gg][Ee][Tt]_[Pp][Rr][Oo][Pp][Ee][Rr][Tt][Yy]${space}*\\(${space}*[^ \t\r\n]+${space}+(\"?CACHE\"?${space}+[^ \t\r\n)]+|\"?[$])"
    properties "${text}")
  foreach(read IN LISTS reads properties)
    if(read MATCHES "CACHE({|\"?[ \t\r\n]+)\"?([A-Za-z0-9_./+-]+)\"?$")
      set_property(GLOBAL PROPERTY "_TRYALL_READS_CACHE_${CMAKE_MATCH_2}" TRUE)
      get_property(reads_cache GLOBAL PROPERTY _TRYALL_READS_CACHE)
      if(NOT reads_cache)
        set_property(GLOBAL PROPERTY _TRYALL_READS_CACHE SOME)
      endif()
      get_property(pending GLOBAL PROPERTY "_TRYALL_PENDING_${CMAKE_MATCH_2}")
    else()
      set_property(GLOBAL PROPERTY _TRYALL_READS_CACHE ALL)
      set(pending all)
    endif()
    if(NOT "${pending}" STREQUAL "")
      _tryall_settle()
    endif()
  endforeach()
endfunction()
