//! Parts that every screen is made of. They know no router, no API and nothing of Keygate.

pub mod dom;

mod badge;
mod brand;
mod button;
mod copy;
mod dialog;
mod empty;
mod field;
mod form;
mod guard;
mod icon;
mod menu;
mod meter;
mod modal;
mod note;
mod pager;
mod popover;
mod search;
mod table;
mod tabs;
mod time;
mod toast;

pub use badge::{Badge, Tone};
pub use brand::Brand;
pub use button::{ReasonedButton, SubmitButton};
pub use copy::{CopyButton, CopyText, copy_then};
pub use dialog::{Dialog, Drawer};
pub use empty::Empty;
pub use field::{FieldError, TextField};
pub use form::Form;
pub use guard::{LeaveGuards, use_leave_guard};
pub use icon::{Glyph, Icon};
pub use menu::{Menu, MenuItem, MenuRadio};
pub use meter::Meter;
pub use modal::{Modal, modal_is_open};
pub use note::Note;
pub use pager::Pager;
pub use popover::{Popover, close_popover};
pub use search::SearchBox;
pub use table::{Column, SkeletonRows, TableHead};
pub use tabs::{TabPanel, Tabs};
pub use time::Date;
pub use toast::ToastStack;
