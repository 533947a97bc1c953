//! What Kaplan et al. 2020 themselves warn of (Appendix C), in our words, beside every extrapolation.

/// One sentence each; markup.
pub const EXTRAPOLATION_CAVEATS: [&str; 6] = [
    "No theory says that these laws are power laws or where they stop; they are descriptions of the runs that were made.",
    "The critical batch size was measured as a function of loss over a limited range; outside that range it is a guess.",
    "The law of N and D is least reliable where data are few, and regularisation and augmentation, which matter there, were \
     not studied.",
    "Counting 6N FLOPs per token leaves out the attention over the context, which matters once n_{ctx} reaches about \
     12·d_{model}, and the head, which at this size is often most of the work; the counts used here are named at each number.",
    "Initialisation and momentum were not tuned; a tuned choice may move the lines.",
    "The best learning rate depends on the loss aimed at; short runs here use their ladder's rule and not the best rate for \
     their length.",
];
