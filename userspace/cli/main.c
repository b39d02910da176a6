// SPDX-License-Identifier: GPL-2.0-only
#include "cli.h"

int main(int argc, char **argv)
{
	return run_cli(argc, argv);
}
