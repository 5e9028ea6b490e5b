# SPDX-License-Identifier: Apache-2.0 OR MIT
# What find_package(Tryall) reads.
include("${CMAKE_CURRENT_LIST_DIR}/Tryall.cmake")
