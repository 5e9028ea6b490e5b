# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The checks of a project, answered in batches. The parts, in the order in which a check meets them:
#
#   Futures.cmake   the check_* commands: noted when they are called, settled when one is read
#   Context.cmake   what a check reads and what may change until it is settled
#   Commands.cmake  try_compile and try_run: functions in their place
#   Decide.cmake    what becomes of a call
#   Request.cmake   what a call asks of the compiler, and whether that is understood
#   Options.cmake   what it says beside its source
#   Answers.cmake   what a call sets and says: by the batch, or by the stock command
#   Recipe.cmake    the command lines that stock CMake uses in the same surroundings
#   Waiting.cmake   when a check may wait, and what becomes of those that wait when CMake fails
#   Batch.cmake     many questions to one run of tryall, and its answers
#   Guess.cmake     the question that comes next, asked ahead
#   Toolchain.cmake the project's compilers, for a request file
#   Fallback.cmake  a request file, answered by CMake alone
#   Verify.cmake    both ways at once, for TRYALL_VERIFY
#   Code.cmake      code that is put together
#   Policies.cmake  code under the policies of somebody else
#   Log.cmake       what CMake's own logs would say, and the summary
#
# State that outlives a function is in global properties, because checks are made in every scope:
#
#   _TRYALL_ON           by which door checks are taken over, if they are: "dropin" or "adopted"
#   _TRYALL_PENDING      numbers of the checks that were noted and not yet settled,
#   _TRYALL_PENDING_PATIENT  and of those that wait for more of their kind
#   _TRYALL_<n>_<WHAT>   what is known of check n, see Futures.cmake
#   _TRYALL_COMPILE_<k>, _TRYALL_LINK_<k>, _TRYALL_REFUSED_<k>   see Recipe.cmake
#   _TRYALL_COUNT_<WHAT> figures for the summary, see Log.cmake
#
# What a function tells those that it calls is in variables, all of which start with _tryall_:
#
#   _tryall_mode   unset   nobody is preparing anything: answer at once
#                  note    try_compile notes what it is asked, and says FALSE
#                  answer  try_compile says what the batch found for check _tryall_number
#                  stock   try_compile is CMake's own, and is watched for its recipe

include_guard(GLOBAL)

# All functions below run under these policies, wherever they are called from. What came after
# CMake 3.10 stays unset, so that Policies.cmake can set what its caller has set.
cmake_policy(PUSH)
cmake_policy(VERSION 3.10)

include("${CMAKE_CURRENT_LIST_DIR}/Program.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/Commands.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/Waiting.cmake")

# Brings the other parts, if they are not there: at the first check, so that a project without any
# does not have them read. (Those who adopt tryall have them at once, since they will check.)
function(_tryall_load)
  if(COMMAND _tryall_decide)
    return()
  endif()
  set(directory "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
  include("${directory}/Code.cmake")
  include("${directory}/Policies.cmake")
  include("${directory}/Log.cmake")
  include("${directory}/Recipe.cmake")
  include("${directory}/Batch.cmake")
  include("${directory}/Guess.cmake")
  include("${directory}/Request.cmake")
  include("${directory}/Options.cmake")
  include("${directory}/Answers.cmake")
  include("${directory}/Decide.cmake")
  include("${directory}/Futures.cmake")
  include("${directory}/Context.cmake")
  include("${directory}/Verify.cmake")
  _tryall_define_environment_text()
  get_property(door_open GLOBAL PROPERTY _TRYALL_ON)
  if(door_open)
    _tryall_count_begin()
  endif()
endfunction()

# Takes over the checks, if the program is there and this CMake can be helped. The door is whose
# wish it is: "dropin" for the whole configure step, "adopted" until _tryall_stop.
function(_tryall_start door)
  get_property(door_open GLOBAL PROPERTY _TRYALL_ON)
  if(door_open)
    return()
  endif()
  _tryall_prepare(works)
  if(works)
    set_property(GLOBAL PROPERTY _TRYALL_ON ${door})
    _tryall_override_commands()
    _tryall_read_list_files()
    if(COMMAND _tryall_decide)
      _tryall_count_begin()
      _tryall_take_over_checks()
    endif()
  endif()
endfunction()

# Gives the checks back to CMake, when all that were noted are settled.
function(_tryall_stop door)
  get_property(door_open GLOBAL PROPERTY _TRYALL_ON)
  if(COMMAND _tryall_settle)
    _tryall_settle()
  endif()
  if("${door_open}" STREQUAL "${door}")
    set_property(GLOBAL PROPERTY _TRYALL_ON "")
    _tryall_forget_waiting()
  endif()
endfunction()

# Whether checks can be taken over; readies the build directory if so.
function(_tryall_prepare result)
  set(${result} FALSE PARENT_SCOPE)
  get_property(is_broken GLOBAL PROPERTY _TRYALL_BROKEN)
  if(is_broken OR CMAKE_VERSION VERSION_LESS 3.20)
    return()
  endif()
  _tryall_program(program)
  if(NOT program)
    return()
  endif()
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(is_multi_config OR NOT CMAKE_GENERATOR MATCHES "^(Ninja|Unix Makefiles)$" OR CMAKE_HOST_WIN32)
    get_property(told GLOBAL PROPERTY _TRYALL_TOLD)
    if(NOT told)
      set_property(GLOBAL PROPERTY _TRYALL_TOLD TRUE)
      message(STATUS "tryall: the generator ${CMAKE_GENERATOR} is left to CMake itself")
    endif()
    return()
  endif()
  set(directory "${CMAKE_BINARY_DIR}/CMakeFiles/tryall")
  file(MAKE_DIRECTORY "${directory}")
  _tryall_lock("${directory}" is_alone)
  if(NOT is_alone)
    return()
  endif()
  set_property(GLOBAL PROPERTY _TRYALL_DIRECTORY "${directory}")
  set_property(GLOBAL PROPERTY _TRYALL_PROGRAM "${program}")
  set(${result} TRUE PARENT_SCOPE)
endfunction()

# Whether no other CMake uses the directory: it would take this one's answers for its own. The lock
# goes with the process.
function(_tryall_lock directory result)
  get_property(is_alone GLOBAL PROPERTY _TRYALL_IS_ALONE)
  if(NOT is_alone)
    file(LOCK "${directory}" DIRECTORY GUARD PROCESS TIMEOUT 0 RESULT_VARIABLE held)
    # Some file systems have no locks.
    if(held MATCHES "Timeout")
      get_property(told GLOBAL PROPERTY _TRYALL_TOLD)
      if(NOT told)
        set_property(GLOBAL PROPERTY _TRYALL_TOLD TRUE)
        message(STATUS "tryall: another CMake configures this build directory, so the checks run one after the other")
      endif()
      set(${result} FALSE PARENT_SCOPE)
      return()
    endif()
    set_property(GLOBAL PROPERTY _TRYALL_IS_ALONE TRUE)
  endif()
  set(${result} TRUE PARENT_SCOPE)
endfunction()

cmake_policy(POP)
