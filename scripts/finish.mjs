// What trunk runs when it has built the console. Its hooks run side by side, and these steps need their order.
import './page.mjs'
import './compress.mjs'
