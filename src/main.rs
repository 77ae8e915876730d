//! Starts the console in the page.

use keygate_console::app::App;
use keygate_console::{boot, routes};

fn main() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        keygate_console::ui::dom::tell_failure();
    }));
    routes::set_base(boot::base());
    leptos::mount::mount_to_body(App);
    keygate_console::ui::dom::remove_boot_screen();
}
