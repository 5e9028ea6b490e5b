# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# What is said of the checks: the events in CMakeConfigureLog.yaml, and the summary at the end.

# Tells the configure log of an answered question, as try_compile tells it of its own.
macro(_tryall_log number status)
  if(NOT CMAKE_VERSION VERSION_LESS 3.26)
    get_property(log GLOBAL PROPERTY _TRYALL_${number}_LOG)
    get_property(check GLOBAL PROPERTY _TRYALL_${number}_CHECK)
    message(CONFIGURE_LOG "Asked by tryall: ${status}\n${log}${check}")
  endif()
endmacro()

# Starts to count, once.
function(_tryall_count_begin)
  get_property(begun GLOBAL PROPERTY _TRYALL_COUNT_BATCHES SET)
  if(begun)
    return()
  endif()
  foreach(what IN ITEMS CHECKS BATCHES PROCESSES WALL STOCK)
    set_property(GLOBAL PROPERTY _TRYALL_COUNT_${what} 0)
  endforeach()
  cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL _tryall_finish)
endfunction()

# Adds to a figure: to the sum that it is, which is worked out at the end.
macro(_tryall_count what number)
  set_property(GLOBAL APPEND_STRING PROPERTY "_TRYALL_COUNT_${what}" "+${number}")
endmacro()

# One batch was run.
function(_tryall_count_batch checks processes wall)
  string(REGEX REPLACE "\\..*" "" wall "${wall}")
  _tryall_count(CHECKS ${checks})
  _tryall_count(BATCHES 1)
  _tryall_count(PROCESSES ${processes})
  _tryall_count(WALL ${wall})
endfunction()

# One request went to stock CMake.
function(_tryall_count_stock why)
  _tryall_count(STOCK 1)
  _tryall_count("STOCK_${why}" 1)
  get_property(reasons GLOBAL PROPERTY _TRYALL_STOCK_REASONS)
  if(NOT why IN_LIST reasons)
    set_property(GLOBAL APPEND PROPERTY _TRYALL_STOCK_REASONS "${why}")
  endif()
endfunction()

# The end of the configure step, but for other calls that are deferred to it and may ask more.
function(_tryall_finish)
  cmake_language(DEFER CALL _tryall_finish_at_last)
endfunction()

# The last checks are settled, and the summary is said. What comes after it is left to CMake.
function(_tryall_finish_at_last)
  _tryall_settle()
  _tryall_forget_waiting()
  set_property(GLOBAL PROPERTY _TRYALL_ON "")
  get_property(verified GLOBAL PROPERTY _TRYALL_COUNT_VERIFIED)
  if(verified)
    math(EXPR verified "${verified}")
    message(STATUS "tryall: ${verified} answers compared with CMake's")
  endif()
  foreach(what IN ITEMS CHECKS BATCHES PROCESSES WALL STOCK)
    get_property(${what} GLOBAL PROPERTY _TRYALL_COUNT_${what})
    math(EXPR ${what} "${${what}}")
  endforeach()
  if(CHECKS EQUAL 0 AND STOCK EQUAL 0)
    return()
  endif()
  set(reasons "")
  get_property(names GLOBAL PROPERTY _TRYALL_STOCK_REASONS)
  foreach(name IN LISTS names)
    get_property(count GLOBAL PROPERTY "_TRYALL_COUNT_STOCK_${name}")
    math(EXPR count "${count}")
    list(APPEND reasons "${name}: ${count}")
  endforeach()
  list(JOIN reasons ", " reasons)
  if(NOT reasons STREQUAL "")
    set(reasons " (${reasons})")
  endif()
  message(STATUS "tryall: ${CHECKS} checks in ${BATCHES} batches, ${STOCK} by CMake itself${reasons}, "
    "${PROCESSES} processes, ${WALL} ms")
  get_property(directory GLOBAL PROPERTY _TRYALL_DIRECTORY)
  file(REMOVE_RECURSE "${directory}")
endfunction()
