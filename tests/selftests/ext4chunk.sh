#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Chunks on a file system that tells the kernel nothing of its blocks: zeroes are written into the file.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
export FILE_SYSTEM=ext4
# shellcheck source-path=SCRIPTDIR source=chunk.sh
. ./chunk.sh
