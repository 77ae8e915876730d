//! What the contract says about calls, in words.

use crate::ui::Tone;
use keygate_contract::{CallClass, CallDoor};

/// How a call ended.
pub fn class_name(class: CallClass) -> &'static str {
    match class {
        CallClass::Ok => "Answered",
        CallClass::ClientError => "Client error",
        CallClass::Throttled => "Throttled",
        CallClass::ServerError => "Server error",
    }
}

/// What that means to a person.
pub fn class_tone(class: CallClass) -> Tone {
    match class {
        CallClass::Ok => Tone::Good,
        CallClass::ClientError => Tone::Muted,
        CallClass::Throttled => Tone::Warn,
        CallClass::ServerError => Tone::Bad,
    }
}

/// The class of this name on the wire.
pub fn class_of(name: &str) -> Option<CallClass> {
    CallClass::ALL.into_iter().find(|class| class.as_str() == name)
}

/// The protocol of a call.
pub fn door_name(door: CallDoor) -> &'static str {
    match door {
        CallDoor::Openai => "OpenAI-compatible",
        CallDoor::Dashscope => "DashScope-native",
        CallDoor::Anthropic => "Anthropic",
    }
}
