/* SPDX-License-Identifier: MIT */
/*
 * Why a parser refused bytes. One short list for all formats, so that a caller can map it one to
 * one to its own table of drop reasons. A parser returns WIRE_OK or the first reason it met, in
 * the order of its checks, which its header states.
 */
#ifndef WIRE_REASON_H
#define WIRE_REASON_H

enum wire_error {
	WIRE_OK,
	WIRE_TRUNCATED,		/* fewer bytes than the fixed header */
	WIRE_BAD_VERSION,	/* IP version field */
	WIRE_BAD_HEADER_LENGTH, /* IHL or data offset below its minimum or past the end */
	WIRE_BAD_TOTAL_LENGTH,	/* IP length field below its header or past the end */
	WIRE_BAD_CHECKSUM,
	WIRE_BAD_OPTION, /* IP option or extension header that cannot be walked or accepted */
	WIRE_FRAGMENT,	 /* a fragment, which needs reassembly */
	WIRE_BAD_SOURCE, /* a source that no single host can have */
	WIRE_BAD_TYPE,	 /* hardware, protocol or operation that this format does not carry */
};

#endif
