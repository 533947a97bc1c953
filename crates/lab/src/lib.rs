//! The application between every front end and the libraries: a request struct in, a report struct out, an
//! [`Observer`](scalelaw_core::Observer) for progress, and no text.
