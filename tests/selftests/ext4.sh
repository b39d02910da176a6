#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Coherence on a file system that tells the kernel nothing of its blocks: zeroes are written into the file, and user space reads
# the extents (I5, I6).

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
export FILE_SYSTEM=ext4
# shellcheck source-path=SCRIPTDIR source=coherence.sh
. ./coherence.sh
