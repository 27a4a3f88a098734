/* safetensors_format.h - what the reader and the writer of safetensors share. */
#pragma once

enum { LENGTH_BYTES = 8, HEADER_MAX = 100 << 20, CHECKSUM_DIGITS = 8 };

#define CHECKSUM_KEY "keel.crc32"       /* CRC-32 of the file with these digits as zeros */
#define CHECKSUM_ZEROS "00000000"
#define VERSION_KEY "keel.version"      /* a file that has this has a checksum, too */
