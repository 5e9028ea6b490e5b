#define FROM_OWN_HEADER 42
struct own { int first; unsigned bits : 3; };
