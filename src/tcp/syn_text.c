/* SPDX-License-Identifier: MIT */
#include "tcp/syn_text.h"

#include "tcp/reassembly.h"
#include "tcp/window.h"

void syn_text_hold(struct tcp *tcp, struct tcb *tcb, const struct segment *syn)
{
	struct segment seg = *syn;

	if (seg.len == 1 || !tcb_setting(tcb, PARLEY_SET_SYN_TEXT))
		return;
	window_trim(tcb, &seg);
	if (seg.text_len && !reassembly_hold(tcp, tcb, seg.text, seg.text_len))
		return;
	if (!(seg.flags & TCP_FIN))
		return;
	tcb->flags |= TCB_FIN_SEEN;
	tcb->fin_off = seg.text_len;
}

uint32_t syn_text_release(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t before = tcb->rcv_off;

	reassembly_join(tcp, tcb);
	return (uint32_t)(tcb->rcv_off - before);
}
