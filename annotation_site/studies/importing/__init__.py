"""Images and maps made elsewhere, as a study: a manifest names them, a folder, a zip or single files hold them."""
