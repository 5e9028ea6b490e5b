# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The check_* commands of CMake's modules, called in two passes.
#
# When a project calls one, CMake's own runs at once, with try_compile in mode "note": so the
# question is put together by CMake, from the variables and policies of the moment. Its FALSE is
# thrown away; the result variables get a placeholder in the cache, and a watch. The first read of
# any of them, in any scope, settles all that are pending: one batch is run, and CMake's own runs
# again for each, in mode "answer", and sets what it sets and says what it says.
#
# What is kept of pending check n, beside its question (see Batch.cmake):
#
#   _TRYALL_<n>_CALL       code of the call; or the command,
#   _TRYALL_<n>_<0 to 2>   if these are its arguments, see Policies.cmake
#   _TRYALL_<n>_UNDER      the macro that runs it under the policies of its caller
#   _TRYALL_<n>_CONTEXT    the macro that sets what the second pass reads, see Context.cmake
#   _TRYALL_<n>_VARIABLES  the result variables
#   _TRYALL_<n>_RESULT     the one that its try_compile sets
#   _TRYALL_<n>_LATE       variables that CMake's own sets in its caller's scope
#
# and of a result variable v:
#
#   _TRYALL_PENDING_<v>    the number of the check that it waits for
#   _TRYALL_WATCHED_<v>    whether there is a watch on it
#   _TRYALL_LATE_<v>       the value it is to have in every scope that has its placeholder: "=" and
#                          the value, or "-" for none

# The commands: name, place of the result variable, kind (see _tryall_take_over and
# _tryall_note_check), and the module that brings it.
function(_tryall_known_checks result)
  set(${result}
    check_include_file,1,header,CheckIncludeFile
    check_include_file_cxx,1,plain,CheckIncludeFileCXX
    check_include_files,1,plain,CheckIncludeFiles
    check_symbol_exists,2,plain,CheckSymbolExists
    check_cxx_symbol_exists,2,plain,CheckCXXSymbolExists
    check_function_exists,1,plain,CheckFunctionExists
    check_fortran_function_exists,1,plain,CheckFortranFunctionExists
    check_variable_exists,1,plain,CheckVariableExists
    check_library_exists,3,plain,CheckLibraryExists
    check_prototype_definition,4,plain,CheckPrototypeDefinition
    check_type_size,1,size,CheckTypeSize
    check_source_compiles,2,plain,CheckSourceCompiles
    check_c_source_compiles,1,plain,CheckCSourceCompiles
    check_cxx_source_compiles,1,plain,CheckCXXSourceCompiles
    check_fortran_source_compiles,1,plain,CheckFortranSourceCompiles
    check_objc_source_compiles,1,plain,CheckOBJCSourceCompiles
    check_objcxx_source_compiles,1,plain,CheckOBJCXXSourceCompiles
    check_source_runs,2,run,CheckSourceRuns
    check_c_source_runs,1,run,CheckCSourceRuns
    check_cxx_source_runs,1,run,CheckCXXSourceRuns
    check_fortran_source_runs,1,run,CheckFortranSourceRuns
    check_objc_source_runs,1,run,CheckOBJCSourceRuns
    check_objcxx_source_runs,1,run,CheckOBJCXXSourceRuns
    check_compiler_flag,2,plain,CheckCompilerFlag
    check_c_compiler_flag,1,plain,CheckCCompilerFlag
    check_cxx_compiler_flag,1,plain,CheckCXXCompilerFlag
    check_fortran_compiler_flag,1,plain,CheckFortranCompilerFlag
    check_objc_compiler_flag,1,plain,CheckOBJCCompilerFlag
    check_objcxx_compiler_flag,1,plain,CheckOBJCXXCompilerFlag
    check_linker_flag,2,plain,CheckLinkerFlag
    PARENT_SCOPE)
endfunction()

# Puts functions in the place of those of these commands that have been brought by now. Their
# modules are not included from here: their functions run under the policies of who includes them.
function(_tryall_take_over_checks)
  get_property(is_begun GLOBAL PROPERTY _TRYALL_CHECKS_TO_COME SET)
  if(NOT is_begun)
    _tryall_known_checks(known)
    set_property(GLOBAL PROPERTY _TRYALL_CHECKS_TO_COME "${known}")
  endif()
  get_property(known GLOBAL PROPERTY _TRYALL_CHECKS_TO_COME)
  if(COMMAND _tryall_has_come)
    # Nearly always there is nothing new; one condition costs a tenth of the loop.
    _tryall_has_come(has_come)
    if(NOT has_come)
      return()
    endif()
  endif()
  set(left "${known}")
  foreach(check IN LISTS known)
    string(REGEX REPLACE ",.*" "" NAME "${check}")
    if(COMMAND ${NAME})
      list(REMOVE_ITEM left "${check}")
      string(REPLACE "," ";" check "${check}")
      list(GET check 1 INDEX)
      list(GET check 2 KIND)
      list(GET check 3 module)
      _tryall_take_over(${NAME} ${INDEX} ${KIND} ${module})
    endif()
  endforeach()
  if(NOT "${left}" STREQUAL "${known}" OR NOT COMMAND _tryall_has_come)
    set_property(GLOBAL PROPERTY _TRYALL_CHECKS_TO_COME "${left}")
    string(REGEX REPLACE ",[^;]*" "" names "${left}")
    list(JOIN names " OR COMMAND " condition)
    if(names STREQUAL "")
      set(condition TRUE)
    endif()
    cmake_language(EVAL CODE "function(_tryall_has_come result)
      set(\${result} FALSE PARENT_SCOPE)
      if(COMMAND ${condition})
        set(\${result} TRUE PARENT_SCOPE)
      endif()
    endfunction()")
  endif()
endfunction()

# Puts a function in the place of a command, if that is CMake's own: a project may have one of the
# same name.
function(_tryall_take_over NAME INDEX KIND module)
  # Where include_guard(GLOBAL) notes that a file was included.
  string(MD5 hash "${CMAKE_ROOT}/Modules/${module}.cmake")
  get_property(is_included GLOBAL PROPERTY "__INCGUARD_${hash}__" SET)
  if(NOT is_included OR COMMAND _${NAME})
    return()
  endif()
  set(SUFFIXES "")
  if(KIND STREQUAL "size")
    set(SUFFIXES "_CODE _KEYS")
  elseif(KIND STREQUAL "run")
    set(SUFFIXES "\"\" _EXITCODE")
  endif()
  set(IF_DEFINED "")
  if(KIND STREQUAL "header")
    # CMake's own does nothing then, be it an answer or what waits for one. Its check_type_size asks for
    # three headers each time.
    set(IF_DEFINED "  if(ARGC GREATER ${INDEX} AND DEFINED \"\${ARGV${INDEX}}\")\n    return()\n  endif()\n")
  endif()
  file(READ "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/Check.cmake.in" code)
  string(CONFIGURE "${code}" code @ONLY)
  cmake_language(EVAL CODE "${code}")
endfunction()

# (In what follows, each operand of a condition takes as long as a command.)

# Makes the first pass for the call in _tryall_code, whose result variable is _tryall_variable.
# _tryall_is_noted of the caller then says whether that was all; if so the variables _tryall_late,
# in the scope of the project, wait for check _tryall_number.
function(_tryall_note_check kind)
  # The cache entries that it sets, its own result first, and what it sets in its caller's scope.
  if(kind STREQUAL "size")
    set(first "HAVE_${_tryall_variable}")
    set(variables "${first};${_tryall_variable}")
    set(late "${_tryall_variable}_CODE")
  else()
    set(first "${_tryall_variable}")
    set(variables "${first}")
    set(late "")
  endif()
  get_property(pending GLOBAL PROPERTY "_TRYALL_PENDING_${first}")
  if("${pending}" STREQUAL "" OR NOT "$CACHE{${first}}" STREQUAL "TRYALL_PENDING_${pending}")
    get_property(door_open GLOBAL PROPERTY _TRYALL_ON)
    if(NOT door_open OR DEFINED "${first}")
      return()
    endif()
  else()
    # Asked already: CMake's own would find the variable defined.
    foreach(variable IN LISTS variables)
      if(NOT "$CACHE{${variable}}" STREQUAL "TRYALL_PENDING_${pending}")
        # What it says of the other variables, it says of what the project has made of them.
        _tryall_settle()
        return()
      endif()
    endforeach()
    set(_tryall_is_noted TRUE PARENT_SCOPE)
    set(_tryall_number ${pending} PARENT_SCOPE)
    set(_tryall_late "${late}" PARENT_SCOPE)
    return()
  endif()
  # Not kind "run": what a program does besides answering may be what the project wants next. And where
  # CMP0053 is unset CMake evaluates all text twice, once without watches, and warns if it differs.
  if(NOT "${kind},${_tryall_cmp0053},${_tryall_output_wanted}" MATCHES "^(plain|header|size),NEW,$"
      OR NOT _tryall_variable MATCHES "^[A-Za-z0-9_./+-]+$")
    return()
  endif()
  if(kind STREQUAL "size")
    if(DEFINED "${_tryall_variable}" OR _tryall_code MATCHES "RESULT_VARIABLE")
      return()
    endif()
  endif()
  _tryall_may_wait()
  if(may_wait STREQUAL "FALSE")
    return()
  endif()

  # CMake's own may call another of these commands before it asks, as check_type_size does.
  get_property(noted_outside GLOBAL PROPERTY _TRYALL_NOTED)
  set_property(GLOBAL PROPERTY _TRYALL_NOTED "")
  _tryall_first_pass()
  if(_CIF_CMP0075_WARNED)
    set(_CIF_CMP0075_WARNED 1 PARENT_SCOPE)
  endif()
  get_property(number GLOBAL PROPERTY _TRYALL_NOTED)
  set_property(GLOBAL PROPERTY _TRYALL_NOTED "${noted_outside}")
  if(NOT "${number}" MATCHES "^[0-9]+$")
    foreach(variable IN LISTS variables)
      unset("${variable}" CACHE)
    endforeach()
    return()
  endif()

  if(NOT may_wait STREQUAL "KEPT")
    _tryall_keep_from_next_run()
  endif()
  _tryall_context(context)
  set_property(GLOBAL PROPERTY _TRYALL_${number}_CALL "${_tryall_code}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_0 "${_tryall_0}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_1 "${_tryall_1}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_2 "${_tryall_2}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_UNDER ${_tryall_under})
  set_property(GLOBAL PROPERTY _TRYALL_${number}_CONTEXT ${context})
  set_property(GLOBAL PROPERTY _TRYALL_${number}_VARIABLES "${variables}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_LATE "${late}")
  get_property(is_patient GLOBAL PROPERTY _TRYALL_${number}_IS_PATIENT)
  if(is_patient)
    set_property(GLOBAL APPEND PROPERTY _TRYALL_PENDING_PATIENT ${number})
  else()
    set_property(GLOBAL APPEND PROPERTY _TRYALL_PENDING ${number})
  endif()
  foreach(variable IN LISTS variables)
    # In place of what the first pass has left there.
    set("${variable}" "TRYALL_PENDING_${number}" CACHE INTERNAL "Not asked yet")
    set_property(GLOBAL PROPERTY "_TRYALL_PENDING_${variable}" ${number})
  endforeach()
  foreach(variable IN LISTS variables late)
    get_property(is_watched GLOBAL PROPERTY "_TRYALL_WATCHED_${variable}")
    if(NOT is_watched)
      set_property(GLOBAL PROPERTY "_TRYALL_WATCHED_${variable}" TRUE)
      variable_watch("${variable}" _tryall_accessed)
    endif()
  endforeach()
  set(_tryall_number ${number} PARENT_SCOPE)
  set(_tryall_late "${late}" PARENT_SCOPE)
  get_property(is_deferred DIRECTORY PROPERTY _TRYALL_DEFERRED)
  if(NOT is_deferred)
    # What comes after the directory sees no watch.
    set_property(DIRECTORY PROPERTY _TRYALL_DEFERRED TRUE)
    cmake_language(DEFER CALL _tryall_settle_directory)
  endif()
  set(_tryall_is_noted TRUE PARENT_SCOPE)
endfunction()

# Lets CMake's own put its question together, and say and log nothing.
function(_tryall_first_pass)
  set(_tryall_mode note)
  set(_tryall_quiet "${CMAKE_REQUIRED_QUIET}")
  set(_tryall_files_directory "${CMAKE_FILES_DIRECTORY}")
  set(CMAKE_REQUIRED_QUIET TRUE)
  if(CMAKE_VERSION VERSION_LESS 3.26)
    # The modules wrote logs of their own.
    set(CMAKE_FILES_DIRECTORY "/CMakeFiles/tryall")
  endif()
  cmake_language(CALL ${_tryall_under})
  if(_CIF_CMP0075_WARNED)
    set(_CIF_CMP0075_WARNED 1 PARENT_SCOPE)
  endif()
endfunction()

# A variable is about to be read. CMake looks it up again after this. Whoever reads a result that is
# there, or was replaced, waits for nothing; this is called for each of them, at one command.
#
# Its arguments are the variable, the access and the value; to name them would take a third longer.
function(_tryall_accessed)
  if(NOT ARGV2 MATCHES "^TRYALL_PENDING_([0-9]+)$")
    return()
  endif()
  set(number ${CMAKE_MATCH_1})
  if(ARGV1 MATCHES "^(MODIFIED|REMOVED)_ACCESS$")
    return()
  endif()
  get_property(patient GLOBAL PROPERTY _TRYALL_PENDING_PATIENT)
  if("${number}" IN_LIST patient)
    _tryall_settle()
  else()
    _tryall_settle_impatient()
  endif()
  get_property(late GLOBAL PROPERTY "_TRYALL_LATE_${ARGV0}")
  if("${late}" MATCHES "^(TRYALL_PENDING_[0-9]+)([=-])(.*)$"
      AND "${${ARGV0}}" STREQUAL CMAKE_MATCH_1)
    if(CMAKE_MATCH_2 STREQUAL "=")
      set("${ARGV0}" "${CMAKE_MATCH_3}" PARENT_SCOPE)
    else()
      unset("${ARGV0}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Asks all that is pending, and makes the second pass for it.
function(_tryall_settle)
  get_property(patient GLOBAL PROPERTY _TRYALL_PENDING_PATIENT)
  get_property(is_busy GLOBAL PROPERTY _TRYALL_SETTLING)
  if(NOT is_busy AND NOT "${patient}" STREQUAL "")
    set_property(GLOBAL PROPERTY _TRYALL_PENDING_PATIENT "")
    set_property(GLOBAL APPEND PROPERTY _TRYALL_PENDING ${patient})
  endif()
  _tryall_settle_impatient()
endfunction()

# The same, together with the questions given, but for the patient: many of these cost as much as
# one, and nothing that a project writes in the meantime changes them. They ask for functions by
# nothing but the compiler and its own libraries.
function(_tryall_settle_impatient)
  get_property(is_busy GLOBAL PROPERTY _TRYALL_SETTLING)
  get_property(pending GLOBAL PROPERTY _TRYALL_PENDING)
  if(is_busy)
    # Read by a second pass, or by CMake for one: only what is asked for now is new.
    set(pending "")
  endif()
  # In the order of the calls.
  list(SORT pending COMPARE NATURAL)
  set(numbers ${pending} ${ARGN})
  if("${numbers}" STREQUAL "")
    return()
  endif()
  set_property(GLOBAL PROPERTY _TRYALL_SETTLING TRUE)
  if(NOT is_busy)
    set_property(GLOBAL PROPERTY _TRYALL_PENDING "")
  endif()
  _tryall_run_batch(${numbers})
  # Most checks have the context of the one before, and leave it as it is.
  set(_tryall_last_context "")
  foreach(number IN LISTS pending)
    get_property(_tryall_context GLOBAL PROPERTY _TRYALL_${number}_CONTEXT)
    if(NOT _tryall_context STREQUAL _tryall_last_context)
      cmake_language(CALL ${_tryall_context})
      set(_tryall_last_context ${_tryall_context})
    endif()
    _tryall_second_pass(${number})
  endforeach()
  if(NOT is_busy)
    set_property(GLOBAL PROPERTY _TRYALL_SETTLING FALSE)
  endif()
endfunction()

# Settles at the end of a directory. Calls that are deferred beyond this may ask more.
function(_tryall_settle_directory)
  set_property(DIRECTORY PROPERTY _TRYALL_DEFERRED FALSE)
  _tryall_settle()
endfunction()

# Lets CMake's own set its results in its context, now that there is an answer.
function(_tryall_second_pass _tryall_number)
  set(_tryall_after "")
  get_property(_tryall_code GLOBAL PROPERTY _TRYALL_${_tryall_number}_CALL)
  get_property(_tryall_0 GLOBAL PROPERTY _TRYALL_${_tryall_number}_0)
  get_property(_tryall_1 GLOBAL PROPERTY _TRYALL_${_tryall_number}_1)
  get_property(_tryall_2 GLOBAL PROPERTY _TRYALL_${_tryall_number}_2)
  get_property(_tryall_under GLOBAL PROPERTY _TRYALL_${_tryall_number}_UNDER)
  get_property(_tryall_VARIABLES GLOBAL PROPERTY _TRYALL_${_tryall_number}_VARIABLES)
  get_property(_tryall_LATE GLOBAL PROPERTY _TRYALL_${_tryall_number}_LATE)
  get_property(_tryall_RESULT GLOBAL PROPERTY _TRYALL_${_tryall_number}_RESULT)
  foreach(_tryall_variable IN LISTS _tryall_VARIABLES)
    set_property(GLOBAL PROPERTY "_TRYALL_PENDING_${_tryall_variable}" "")
    # The project may have set or unset it since, or said more of it, as if it had had its answer.
    get_property(_tryall_type CACHE "${_tryall_variable}" PROPERTY TYPE)
    get_property(_tryall_help CACHE "${_tryall_variable}" PROPERTY HELPSTRING)
    get_property(_tryall_advanced CACHE "${_tryall_variable}" PROPERTY ADVANCED)
    get_property(_tryall_strings CACHE "${_tryall_variable}" PROPERTY STRINGS)
    if(NOT "$CACHE{${_tryall_variable}}|${_tryall_type}|${_tryall_help}|${_tryall_advanced}|${_tryall_strings}"
        STREQUAL "TRYALL_PENDING_${_tryall_number}|INTERNAL|Not asked yet||")
      _tryall_code_for_entry(_tryall_entry "${_tryall_variable}" "TRYALL_PENDING_${_tryall_number}")
      string(APPEND _tryall_after "${_tryall_entry}")
    endif()
    unset("${_tryall_variable}" CACHE)
    unset("${_tryall_variable}")
  endforeach()
  set(_tryall_mode answer)
  cmake_language(CALL ${_tryall_under})
  if(NOT _tryall_after STREQUAL "")
    cmake_language(EVAL CODE "${_tryall_after}")
  endif()
  foreach(_tryall_variable IN LISTS _tryall_LATE)
    set(_tryall_value "-")
    if(NOT DEFINED "CACHE{${_tryall_variable}}" AND DEFINED "${_tryall_variable}")
      set(_tryall_value "=${${_tryall_variable}}")
    endif()
    set_property(GLOBAL PROPERTY "_TRYALL_LATE_${_tryall_variable}"
      "TRYALL_PENDING_${_tryall_number}${_tryall_value}")
  endforeach()
endfunction()
