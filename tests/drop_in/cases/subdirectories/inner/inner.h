#define IN_INNER 1
