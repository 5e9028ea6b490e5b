# A toolchain file with what people write into one: the compilers by name, flags with a quote and a
# space, a linker option, a standard, and variables of its own.
set(CMAKE_C_COMPILER gcc)
set(CMAKE_CXX_COMPILER g++)
set(CMAKE_C_FLAGS_INIT "-fno-strict-aliasing -DCAMPAIGN=\"\\\"a toolchain\\\"\"")
set(CMAKE_CXX_FLAGS_INIT "-fno-strict-aliasing -DCAMPAIGN=\"\\\"a toolchain\\\"\"")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--as-needed")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CAMPAIGN_LEVEL 2)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CAMPAIGN_LEVEL)
if(CAMPAIGN_LEVEL EQUAL 2)
  add_compile_definitions(CAMPAIGN_LEVEL=2)
endif()
