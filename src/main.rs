//! Starts the console in the page.

use keygate_console::app::App;
use keygate_console::{boot, routes, ui};
use leptos::prelude::*;

fn main() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        ui::dom::tell_failure();
    }));
    routes::set_base(boot::base());
    wasm_bindgen_futures::spawn_local(async {
        let backends = boot::backends().await;
        mount_to_body(move || view! { <App backends /> });
        ui::dom::remove_boot_screen();
    });
}
