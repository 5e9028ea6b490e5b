# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# What a request of try_compile or try_run says beside its source: flags, and the keys of its commands.

# What the request puts on both command lines by itself: flags. The rest of what it says becomes
# part of the key.
function(_tryall_read_options)
  set(why "an option that is not understood" PARENT_SCOPE)
  # CMAKE_<LANG>_FLAGS and then those of the request: both are put in as they are.
  set(common_part "")
  set(request_part "")
  set(flags "")
  set(has_flags FALSE)
  if("${CMAKE_${language}_FLAGS}" MATCHES "^[A-Za-z0-9_=,./+: -]*$"
      AND NOT "${CMAKE_${language}_FLAGS}" MATCHES "\\.\\.")
    separate_arguments(flags UNIX_COMMAND "${CMAKE_${language}_FLAGS}")
  else()
    string(APPEND common_part "|flags:${CMAKE_${language}_FLAGS}")
  endif()
  foreach(item IN LISTS _tryall_CMAKE_FLAGS)
    if(item MATCHES "^-DCOMPILE_DEFINITIONS(:STRING)?=")
      if(has_flags)
        return()
      endif()
      set(has_flags TRUE)
      string(LENGTH "${CMAKE_MATCH_0}" length)
      string(SUBSTRING "${item}" ${length} -1 item)
      if(item MATCHES "^[A-Za-z0-9_=,./+: -]*$" AND NOT item MATCHES "\\.\\.")
        separate_arguments(item UNIX_COMMAND "${item}")
        list(APPEND flags ${item})
      else()
        # It would stand between the former and the mark.
        return()
      endif()
    elseif(item MATCHES "^-D[A-Z_]+(:[A-Z]+)?=" AND NOT item MATCHES "[][]")
      string(APPEND request_part "|${item}")
    elseif(NOT item STREQUAL "")
      return()
    endif()
  endforeach()

  foreach(item IN LISTS _tryall_LINK_LIBRARIES)
    if(TARGET "${item}" OR item MATCHES "::|\\$<")
      set(why "a target as library" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  foreach(name IN ITEMS C_STANDARD C_STANDARD_REQUIRED C_EXTENSIONS CXX_STANDARD
      CXX_STANDARD_REQUIRED CXX_EXTENSIONS)
    if(DEFINED _tryall_${name})
      string(APPEND common_part "|${name}:${_tryall_${name}}")
    endif()
  endforeach()
  foreach(name IN ITEMS LINK_OPTIONS LINK_LIBRARIES)
    if(DEFINED _tryall_${name} OR name IN_LIST _tryall_KEYWORDS_MISSING_VALUES)
      string(APPEND request_part "|${name}:${_tryall_${name}}")
    endif()
  endforeach()
  _tryall_configuration()
  set(request_key
    "${common_part}|${CMAKE_${language}_FLAGS_${configuration}}${request_part}")

  set(is_library FALSE)
  if(CMAKE_TRY_COMPILE_TARGET_TYPE STREQUAL "STATIC_LIBRARY")
    set(is_library TRUE)
    if(command STREQUAL "try_run" OR DEFINED _tryall_COPY_FILE)
      set(why "a library that is copied" PARENT_SCOPE)
      return()
    endif()
  elseif(NOT "${CMAKE_TRY_COMPILE_TARGET_TYPE}" MATCHES "^(EXECUTABLE)?$")
    set(why "arguments" PARENT_SCOPE)
    return()
  endif()
  foreach(name IN ITEMS flags common_part request_key is_library)
    set(${name} "${${name}}" PARENT_SCOPE)
  endforeach()
  set(why "" PARENT_SCOPE)
endfunction()

# Parts what the request says into what can show in the compile command and what can show in the
# link command, and leaves out what shows in neither. All is in both where that is not certain.
#
# CMake 3.20 to 4.4 writes it into the test project like this, behind all that it includes:
#
#   include_directories(${INCLUDE_DIRECTORIES})
#   link_directories(${LINK_DIRECTORIES})
#   target_link_options(... PRIVATE <LINK_OPTIONS>)
#   target_link_libraries(... <LINK_LIBRARIES>)      with the keyword, and without
#   target_link_libraries(... ${LINK_LIBRARIES})
#
# No link command names a directory of headers. No compile command shows what the other three say,
# of a library that is not a target (on Apple's systems those of a framework do). To all of them an
# empty variable is as none, and a list in a variable as the same words. CMAKE_SKIP_RPATH is asked
# only for link commands and only whether it is on, and CMakeGenericSystem.cmake has it NO.
#
# CMAKE_<LANG>_FLAGS_<CONFIG> is written there, too: that of DEBUG if nobody has said which. But
# then the test project is built in no configuration, whatever the environment says.
#
# A toolchain file, or another that is not CMake's, may read all of this in any way.
#
# If all that is linked is one library by its name, library is the name, and link_part is without
# it. A library by its path is nothing like that: if the file has no SONAME, CMake names it as -l.
function(_tryall_part_request)
  set(library "" PARENT_SCOPE)
  set(compile_part "${request_key}" PARENT_SCOPE)
  set(link_part "${request_key}" PARENT_SCOPE)
  _tryall_reads_only_cmakes_files(is_certain)
  if(NOT is_certain)
    return()
  endif()
  set(names INCLUDE_DIRECTORIES LINK_DIRECTORIES LINK_LIBRARIES CMAKE_SKIP_RPATH)
  foreach(name IN LISTS names)
    set(given_${name} "")
  endforeach()
  set(seen "")
  foreach(item IN LISTS _tryall_CMAKE_FLAGS)
    if(item MATCHES "^-D([A-Z_]+)(:STRING|:BOOL)?=([A-Za-z0-9_.,/+=;-]*)$"
        AND CMAKE_MATCH_1 IN_LIST names)
      set(given_${CMAKE_MATCH_1} "${CMAKE_MATCH_3}")
      list(APPEND seen ${CMAKE_MATCH_1})
    elseif(NOT item MATCHES "^(-DCOMPILE_DEFINITIONS(:STRING)?=.*)?$")
      return()
    endif()
  endforeach()
  if("LINK_LIBRARIES" IN_LIST _tryall_KEYWORDS_MISSING_VALUES)
    list(APPEND seen LINK_LIBRARIES)
  elseif(DEFINED _tryall_LINK_LIBRARIES)
    foreach(item IN LISTS _tryall_LINK_LIBRARIES)
      if(NOT item MATCHES "^[A-Za-z0-9_.,/+=-]+$")
        return()
      endif()
    endforeach()
    set(given_LINK_LIBRARIES "${_tryall_LINK_LIBRARIES}")
    list(APPEND seen LINK_LIBRARIES)
  endif()
  # Which of two counts is nothing to rely on.
  set(once "${seen}")
  list(REMOVE_DUPLICATES once)
  if(NOT "${once}" STREQUAL "${seen}")
    return()
  endif()

  set(common "${common_part}")
  if(NOT "${CMAKE_TRY_COMPILE_CONFIGURATION}" STREQUAL "")
    _tryall_configuration()
    string(APPEND common "|${CMAKE_${language}_FLAGS_${configuration}}")
  endif()
  set(includes "${given_INCLUDE_DIRECTORIES}")
  if(includes MATCHES "^/" AND NOT includes MATCHES ";[^/]|;$")
    # No word such as SYSTEM is among them, and CMake names a directory once.
    list(REMOVE_DUPLICATES includes)
  endif()
  set(compile_part "${common}|in ${includes}" PARENT_SCOPE)

  string(TOUPPER "${given_CMAKE_SKIP_RPATH}" skip)
  if(skip MATCHES "^(0|NO|OFF|FALSE|N)$")
    set(skip "")
  endif()
  set(libraries "${given_LINK_LIBRARIES}")
  _tryall_library_by_name(name ${libraries})
  if(NOT name STREQUAL "")
    set(library "${name}" PARENT_SCOPE)
    set(libraries "a name")
  endif()
  string(APPEND common "|in ${given_LINK_DIRECTORIES}|${libraries}|${skip}")
  set(link_part "${common}|${_tryall_LINK_OPTIONS}" PARENT_SCOPE)
endfunction()

# The name, if these libraries are one, and all that CMake does with its name is to put -l before
# it, at the same place for all of them. So it is on Linux with what is no path, no option, no
# target, no word of target_link_libraries and no file name such as libz.a: CMake looks for no such
# file, and <name>_LIB_DEPENDS, which it does look for, is not set where only its own files are
# read. A project's targets do not reach the test project by a variable, but are left alone all the
# same; as is what the compiler links anyway, which CMake may leave out of a program in two
# languages.
function(_tryall_library_by_name result)
  set(${result} "" PARENT_SCOPE)
  if(ARGC EQUAL 2 AND ARGV1 MATCHES "^[A-Za-z0-9_]+$" AND NOT TARGET "${ARGV1}"
      AND NOT ARGV1 MATCHES "^(debug|optimized|general|PUBLIC|PRIVATE|INTERFACE|LINK_.*|cmTC_.*)$"
      AND NOT ARGV1 IN_LIST CMAKE_${language}_IMPLICIT_LINK_LIBRARIES)
    set(${result} "${ARGV1}" PARENT_SCOPE)
  endif()
endfunction()

# Whether all that CMake includes into the test project comes with CMake, and is for Linux, so that
# it is known who reads what: no toolchain file, nothing that overrides, and no file in
# CMAKE_MODULE_PATH that project() looks for.
function(_tryall_reads_only_cmakes_files result)
  set(${result} FALSE PARENT_SCOPE)
  if(NOT "${CMAKE_TRY_COMPILE_PLATFORM_VARIABLES}${CMAKE_USER_MAKE_RULES_OVERRIDE}" STREQUAL ""
      OR NOT "${CMAKE_USER_MAKE_RULES_OVERRIDE_${language}}" STREQUAL "")
    return()
  endif()
  string(MD5 hash "${CMAKE_PLATFORM_INFO_DIR}|${CMAKE_MODULE_PATH}")
  get_property(known GLOBAL PROPERTY _TRYALL_ONLY_CMAKES_${hash})
  if("${known}" STREQUAL "")
    set(known TRUE)
    # This is where the test project finds out what it is to run on; and the toolchain file.
    set(file "${CMAKE_PLATFORM_INFO_DIR}/CMakeSystem.cmake")
    set(lines "")
    if(EXISTS "${file}")
      file(STRINGS "${file}" lines REGEX "include|set\\(CMAKE_SYSTEM_NAME ")
    endif()
    if(NOT "${lines}" STREQUAL "set(CMAKE_SYSTEM_NAME \"Linux\")")
      set(known FALSE)
    endif()
    foreach(directory IN LISTS CMAKE_MODULE_PATH)
      if(directory MATCHES "^/[A-Za-z0-9_.,/+ -]*$")
        file(GLOB found "${directory}/CMake*.cmake" "${directory}/Platform" "${directory}/Compiler"
          "${directory}/Linker" "${directory}/Internal")
        if(NOT found STREQUAL "")
          set(known FALSE)
        endif()
      elseif(NOT directory STREQUAL "")
        set(known FALSE)
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY _TRYALL_ONLY_CMAKES_${hash} "${known}")
  endif()
  set(${result} "${known}" PARENT_SCOPE)
endfunction()
