/* Starts Swagger UI on the API documentation page; a file of its own because the CSP allows no inline script. */
(() => {
  "use strict";
  const place = document.getElementById("api-docs");
  window.SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
  });
})();
