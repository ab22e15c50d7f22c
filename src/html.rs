//! stub
pub struct Html(pub String);
impl Html {
    pub fn into_string(self) -> String {
        self.0
    }
}
