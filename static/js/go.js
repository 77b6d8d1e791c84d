/* On to the payment service. Without this the button on the page does the same. */
"use strict";
document.getElementById("go").submit();
