//! Answers on their way to those who asked.

use std::sync::Arc;

use super::super::error::Refusal;
use super::super::request::{Outcome, ReplyTo, Request};
use super::Writer;

impl Writer {
    pub(super) fn refuse(&mut self, request: Request, refusal: Refusal) {
        self.reply(request.into_reply_to(), Err(refusal));
    }

    pub(super) fn reply(&mut self, reply: ReplyTo, outcome: Outcome) {
        let ReplyTo { ticket, replies } = reply;
        replies.reply(ticket, outcome);
        // Answers come in runs to the same one.
        if !self.answered.last().is_some_and(|last| Arc::ptr_eq(last, &replies)) {
            self.answered.push(replies);
        }
    }

    pub(super) fn flush_replies(&mut self) {
        let mut answered = std::mem::take(&mut self.answered);
        // In the order of the answers, and not of anything that differs from run to run. Who is told twice minds little.
        for replies in answered.drain(..) {
            replies.flush();
        }
        // Its memory is used again.
        self.answered = answered;
    }
}
