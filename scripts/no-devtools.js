// Stands in for react-devtools-core, which ink asks for only when it is developed itself.
export default { connectToDevTools() {} }
