# SPDX-License-Identifier: Apache-2.0 OR MIT
#[=======================================================================[.rst:
TryallBefore
------------

Together with ``TryallDropIn``, has tryall answer the check with which ``project()`` examines each
compiler, too (``Detecting C compiler ABI info``)::

  cmake -DCMAKE_PROJECT_INCLUDE_BEFORE=<dir>/TryallBefore.cmake
    -DCMAKE_PROJECT_INCLUDE=<dir>/TryallDropIn.cmake -S <source> -B <build>

Variables:

``TRYALL_PROJECT_INCLUDE_BEFORE``
  Files to include here: your own ``CMAKE_PROJECT_INCLUDE_BEFORE``.
#]=======================================================================]

include("${CMAKE_CURRENT_LIST_DIR}/tryall/Door.cmake")
_tryall_open(dropin)

# project() includes without a policy scope.
foreach(_tryall_file IN LISTS TRYALL_PROJECT_INCLUDE_BEFORE)
  include("${_tryall_file}" NO_POLICY_SCOPE)
endforeach()
unset(_tryall_file)
