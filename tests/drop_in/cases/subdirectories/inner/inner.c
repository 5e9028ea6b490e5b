#include "inner.h"
#ifndef INNER
#error outer
#endif
int main(void)
{
	return IN_INNER;
}
