# Stands before the RunCMake.cmake of CMake's tests on CMAKE_MODULE_PATH, and adds what
# RunCMake_INJECTION holds to the options of every case that configures a project.
list(GET CMAKE_MODULE_PATH 1 own_tests)
include("${own_tests}/RunCMake.cmake")

# The command's first definition goes on under the name with an underscore.
function(run_cmake test)
  # A case with a command of its own builds, or configures once more; the cache has the options.
  if(NOT RunCMake_TEST_COMMAND)
    list(APPEND RunCMake_TEST_OPTIONS ${RunCMake_INJECTION})
  endif()
  _run_cmake("${test}")
endfunction()
