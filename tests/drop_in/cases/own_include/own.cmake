message(STATUS "own, of '${CMAKE_PROJECT_NAME}'")
